-- A space by its id. Parameters: $1 space_id. Rows: none or one. Lock: none.
SELECT key, incarnation, format, id_length, max_op_bytes, slice_factor, slice_mode, max_future_us
FROM space
WHERE space_id = $1::bigint
