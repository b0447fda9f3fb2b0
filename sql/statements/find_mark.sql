-- Whether a batch whose answer was lost was committed. Run behind lock_space: the old attempt may still have been
-- under way.
-- Parameters: $1 space_id, $2 writer, $3 first batch number that the batch was tried under.
-- Rows: one (first_stored_at, last_stored_at) if so. Index: ingest_mark_pkey.
SELECT first_stored_at, last_stored_at
FROM ingest_mark
WHERE space_id = $1::bigint AND writer = $2::bigint AND batch >= $3::bigint
