-- Forgets writers that stored nothing for a day: none of them is still in doubt.
-- Parameters: $1 space_id.
DELETE FROM ingest_mark
WHERE space_id = $1::bigint AND marked_at < statement_timestamp() - interval '1 day'
