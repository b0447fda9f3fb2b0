-- lock_space for who does not wait: also none if somebody else holds the row.
-- Parameters: $1 space_id, $2 incarnation. Rows: none or one (delegates).
SELECT delegates
FROM space
WHERE space_id = $1::bigint AND incarnation = $2::bigint
FOR NO KEY UPDATE SKIP LOCKED
