-- The ops that a committed batch added.
-- Parameters: $1 space_id, $2 first_stored_at, $3 last_stored_at, both inclusive.
-- Rows: op_id, by stored_at. Index: op_by_stored_at. Lock: none.
SELECT op_id
FROM op
WHERE space_id = $1::bigint AND stored_at BETWEEN $2::bigint AND $3::bigint
ORDER BY stored_at
