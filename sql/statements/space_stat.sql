-- Counters and boundaries of a space, in constant time.
-- Parameters: $1 space_id, $2 incarnation. Rows: none if the space is gone; else one. Lock: none.
SELECT t.op_count, t.op_bytes, s.last_stored_at, s.full_slices
FROM space s JOIN space_total t USING (space_id)
WHERE s.space_id = $1::bigint AND s.incarnation = $2::bigint
