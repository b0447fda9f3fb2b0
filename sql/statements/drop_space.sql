-- Deletes all that belongs to a space. Run behind lock_space_to_drop and lock_fold: an ingest or a fold that was
-- under way is over, and what it stored is seen here. Parameters: $1 space_id. Rows: one if there was such a space.
WITH ops AS (DELETE FROM op WHERE space_id = $1::bigint),
     hashes AS (DELETE FROM slice_hash WHERE space_id = $1::bigint),
     discs AS (DELETE FROM sector_hash WHERE space_id = $1::bigint),
     units AS (DELETE FROM unit_hash WHERE space_id = $1::bigint),
     totals AS (DELETE FROM space_total WHERE space_id = $1::bigint),
     folds AS (DELETE FROM fold WHERE space_id = $1::bigint),
     lists AS (DELETE FROM sector_list WHERE space_id = $1::bigint),
     marks AS (DELETE FROM ingest_mark WHERE space_id = $1::bigint),
     peers AS (DELETE FROM peer_meta WHERE space_id = $1::bigint)
DELETE FROM space WHERE space_id = $1::bigint
RETURNING space_id
