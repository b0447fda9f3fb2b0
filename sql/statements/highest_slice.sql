-- The highest slice index of an arc.
-- Parameters: $1 space_id, $2 incarnation, $3 arc_start, $4 arc_end.
-- Rows: none if the space is gone; else one number, or null. Index: slice_hash_pkey, read backwards. Lock: none.
SELECT (SELECT h.slice_index
        FROM slice_hash h
        WHERE h.space_id = $1::bigint AND h.arc_start = $3::bigint AND h.arc_end = $4::bigint
        ORDER BY h.slice_index DESC
        LIMIT 1)
FROM space s
WHERE s.space_id = $1::bigint AND s.incarnation = $2::bigint
