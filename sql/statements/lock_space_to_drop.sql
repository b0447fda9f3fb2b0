-- Locks a space's row against everybody: also who adds something that belongs to it holds it FOR KEY SHARE, and is over
-- when drop_space reads, in the next statement.
-- Parameters: $1 space_id, $2 incarnation. Rows: none if the space is gone; else one (delegates).
SELECT delegates
FROM space
WHERE space_id = $1::bigint AND incarnation = $2::bigint
FOR UPDATE
