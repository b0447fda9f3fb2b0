-- The highest slice index of an arc.
-- Parameters: $1 space_id, $2 incarnation, $3 arc_start, $4 arc_end.
-- Rows: none if the space is gone; else one number, or null.
-- Index: slice_hash_pkey, read backwards; op_by_stored_at for the ops that are not folded in yet (see fold.sql).
--   Lock: none.
SELECT greatest(
       (SELECT h.slice_index
        FROM slice_hash h
        WHERE h.space_id = $1::bigint AND h.arc_start = $3::bigint AND h.arc_end = $4::bigint
        ORDER BY h.slice_index DESC
        LIMIT 1),
       (SELECT max(o.created_at / s.slice_us)
        FROM (SELECT o.location, o.created_at
              FROM op o
              WHERE o.space_id = $1::bigint AND o.stored_at > f.folded_to
              ORDER BY o.stored_at
              OFFSET 0) o
        WHERE o.location >> 23 = $3::bigint >> 23
              AND o.created_at / s.slice_us < s.full_slices AND s.full_slices > 0
              AND $3::bigint & 8388607 = 0 AND $4::bigint = $3::bigint + 8388607))
FROM space s
JOIN fold f USING (space_id)
WHERE s.space_id = $1::bigint AND s.incarnation = $2::bigint
