-- All spaces, by key. Parameters: none. Lock: none.
SELECT s.key, s.format, s.id_length, s.slice_mode, s.max_op_bytes, t.op_count, t.op_bytes
FROM space s JOIN space_total t USING (space_id)
ORDER BY s.key
