-- One slice hash, in parts.
-- Parameters: $1 space_id, $2 incarnation, $3 arc_start, $4 arc_end, $5 slice_index.
-- Rows: none if the space is gone; else the parts, whose XOR is the hash: what is kept, and the ids of the ops that
--   are not folded into it yet (see fold.sql). One row with null without any.
-- Index: slice_hash_pkey, and op_by_stored_at for the tail. Both come from one snapshot. Lock: none.
SELECT p.hash
FROM space s
JOIN fold f USING (space_id)
LEFT JOIN LATERAL (
    SELECT h.hash
    FROM slice_hash h
    WHERE h.space_id = $1::bigint AND h.arc_start = $3::bigint AND h.arc_end = $4::bigint
          AND h.slice_index = $5::bigint
    UNION ALL
    SELECT o.op_id
    FROM (SELECT o.location, o.created_at, o.op_id
          FROM op o
          WHERE o.space_id = $1::bigint AND o.stored_at > f.folded_to
          ORDER BY o.stored_at
          OFFSET 0) o
    WHERE o.location >> 23 = $3::bigint >> 23
          AND o.created_at / s.slice_us = $5::bigint AND $5::bigint < s.full_slices
          AND $3::bigint & 8388607 = 0 AND $4::bigint = $3::bigint + 8388607) p ON true
WHERE s.space_id = $1::bigint AND s.incarnation = $2::bigint
