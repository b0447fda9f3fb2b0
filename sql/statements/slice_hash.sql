-- One slice hash.
-- Parameters: $1 space_id, $2 arc_start, $3 arc_end, $4 slice_index.
-- Rows: none if the space is gone; else one: hash or null. Index: slice_hash_pkey. Lock: none.
SELECT h.hash
FROM space s
LEFT JOIN slice_hash h ON h.space_id = s.space_id AND h.arc_start = $2::bigint AND h.arc_end = $3::bigint
                          AND h.slice_index = $4::bigint
WHERE s.space_id = $1::bigint
