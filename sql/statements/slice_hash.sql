-- One slice hash.
-- Parameters: $1 space_id, $2 incarnation, $3 arc_start, $4 arc_end, $5 slice_index.
-- Rows: none if the space is gone; else one: hash or null. Index: slice_hash_pkey. Lock: none.
SELECT h.hash
FROM space s
LEFT JOIN slice_hash h ON h.space_id = s.space_id AND h.arc_start = $3::bigint AND h.arc_end = $4::bigint
                          AND h.slice_index = $5::bigint
WHERE s.space_id = $1::bigint AND s.incarnation = $2::bigint
