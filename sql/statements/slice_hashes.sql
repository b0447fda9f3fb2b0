-- All slice hashes of some arcs, in parts.
-- Parameters: $1 space_id, $2 incarnation, $3 arc_start[], $4 arc_end[], $5 those sectors, as a bit mask, that are
--   such arcs.
-- Rows: none if the space is gone; else what is kept: (arc, null, slice_index, hash), arc from 0, by arc and index; and
--   then the ops that are not folded into it yet (see fold.sql): (null, sector, slice_index, op_id). The XOR of all
--   rows of an arc and index is the hash. One row of nulls where there is none at all.
-- Index: slice_hash_pkey, one range for each arc, and op_by_stored_at for the tail. All come from one snapshot.
--   Lock: none.
SELECT h.arc, h.sector, h.slice_index, h.hash
FROM space s
JOIN fold f USING (space_id)
LEFT JOIN LATERAL (
    SELECT a.ordinal - 1 AS arc, NULL::bigint AS sector, k.slice_index, k.hash
    FROM unnest($3::bigint[], $4::bigint[]) WITH ORDINALITY AS a (arc_start, arc_end, ordinal)
    CROSS JOIN LATERAL (
        SELECT k.slice_index, k.hash
        FROM slice_hash k
        WHERE k.space_id = $1::bigint AND k.arc_start = a.arc_start AND k.arc_end = a.arc_end
        OFFSET 0) k
    UNION ALL
    SELECT NULL, o.sector, o.created_at / s.slice_us, o.op_id
    FROM (SELECT o.sector, o.location, o.created_at, o.op_id
          FROM op o
          WHERE o.space_id = $1::bigint AND o.stored_at > f.folded_to
          ORDER BY o.stored_at
          OFFSET 0) o
    WHERE get_bit($5::bytea, o.location >> 23) = 1
          AND o.created_at / s.slice_us < s.full_slices AND s.full_slices > 0) h ON true
WHERE s.space_id = $1::bigint AND s.incarnation = $2::bigint
ORDER BY h.arc, h.slice_index
