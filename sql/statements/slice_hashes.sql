-- All slice hashes of some arcs, in parts.
-- Parameters: $1 space_id, $2 incarnation, $3 arc_start[], $4 arc_end[].
-- Rows: none if the space is gone; else (arc, slice_index, hash), arc from 0, by arc and index; one row of nulls
--   where there is none at all. Rows of one arc and index are parts, whose XOR is the hash: what is kept, and the
--   ids of the ops that are not folded into it yet (see fold.sql).
-- Index: slice_hash_pkey, and op_by_sector_stored_at for the tail, one range for each arc. All come from one
--   snapshot. Lock: none.
SELECT h.arc, h.slice_index, h.hash
FROM space s
JOIN slice_fold f USING (space_id)
LEFT JOIN LATERAL (
    SELECT a.ordinal - 1 AS arc, k.slice_index, k.hash
    FROM unnest($3::bigint[], $4::bigint[]) WITH ORDINALITY AS a (arc_start, arc_end, ordinal)
    CROSS JOIN LATERAL (
        SELECT k.slice_index, k.hash
        FROM slice_hash k
        WHERE k.space_id = $1::bigint AND k.arc_start = a.arc_start AND k.arc_end = a.arc_end
        UNION ALL
        SELECT o.created_at / s.slice_us, o.op_id
        FROM op o
        WHERE o.space_id = $1::bigint AND o.sector = (a.arc_start >> 23)::smallint AND o.stored_at > f.folded_to
              AND o.created_at / s.slice_us < s.full_slices
              AND a.arc_start & 8388607 = 0 AND a.arc_end = a.arc_start + 8388607
        OFFSET 0) k) h ON true
WHERE s.space_id = $1::bigint AND s.incarnation = $2::bigint
ORDER BY h.arc, h.slice_index
