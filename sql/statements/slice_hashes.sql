-- All slice hashes of some arcs.
-- Parameters: $1 space_id, $2 arc_start[], $3 arc_end[].
-- Rows: none if the space is gone; else (arc, slice_index, hash), arc from 0, by arc and index; one row of nulls
--   where there is none at all. Index: slice_hash_pkey, one range for each arc. Lock: none.
SELECT h.arc, h.slice_index, h.hash
FROM space s
LEFT JOIN LATERAL (
    SELECT a.ordinal - 1 AS arc, k.slice_index, k.hash
    FROM unnest($2::bigint[], $3::bigint[]) WITH ORDINALITY AS a (arc_start, arc_end, ordinal)
    JOIN slice_hash k ON k.space_id = $1::bigint AND k.arc_start = a.arc_start AND k.arc_end = a.arc_end) h ON true
WHERE s.space_id = $1::bigint
ORDER BY h.arc, h.slice_index
