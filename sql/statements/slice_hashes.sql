-- All slice hashes of some arcs.
-- Parameters: $1 space_id, $2 incarnation, $3 arc_start[], $4 arc_end[].
-- Rows: none if the space is gone; else (arc, slice_index, hash), arc from 0, by arc and index; one row of nulls
--   where there is none at all. Index: slice_hash_pkey, one range for each arc. Lock: none.
SELECT h.arc, h.slice_index, h.hash
FROM space s
LEFT JOIN LATERAL (
    SELECT a.ordinal - 1 AS arc, k.slice_index, k.hash
    FROM unnest($3::bigint[], $4::bigint[]) WITH ORDINALITY AS a (arc_start, arc_end, ordinal)
    CROSS JOIN LATERAL (
        SELECT k.slice_index, k.hash
        FROM slice_hash k
        WHERE k.space_id = $1::bigint AND k.arc_start = a.arc_start AND k.arc_end = a.arc_end
        OFFSET 0) k) h ON true
WHERE s.space_id = $1::bigint AND s.incarnation = $2::bigint
ORDER BY h.arc, h.slice_index
