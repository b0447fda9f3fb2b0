-- Replaces the kept slice hashes by what the ops folded into them say. Run behind lock_space and lock_fold, when
-- the end of the fold is right.
-- Parameters: $1 space_id. The rows removed and the rows written are never the same.
-- NOT IN is hashed whatever the statistics say; NOT EXISTS compared all with all where they were old.
WITH computed AS MATERIALIZED (
    SELECT (o.sector::bigint << 23) AS arc_start, o.created_at / s.slice_us AS slice_index,
           substring(varbit_send(bit_xor(('x' || encode(o.op_id, 'hex'))::varbit)) FROM 5) AS hash,
           count(*) AS op_count
    FROM space s JOIN fold f USING (space_id)
         JOIN op o ON o.space_id = s.space_id AND o.created_at < s.full_slices * s.slice_us
                      AND o.stored_at <= f.folded_to
    WHERE s.space_id = $1::bigint AND s.slice_mode = 'store'
    GROUP BY 1, 2
), removed AS (
    DELETE FROM slice_hash h
    USING space s
    WHERE s.space_id = $1::bigint AND s.slice_mode = 'store' AND h.space_id = s.space_id
          AND h.arc_start & 8388607 = 0 AND h.arc_end = h.arc_start + 8388607
          AND (h.arc_start, h.slice_index) NOT IN (SELECT c.arc_start, c.slice_index FROM computed c)
)
INSERT INTO slice_hash AS kept (space_id, arc_start, arc_end, slice_index, hash, op_count)
SELECT $1::bigint, arc_start, arc_start + 8388607, slice_index, hash, op_count
FROM computed
ON CONFLICT (space_id, arc_start, arc_end, slice_index) DO UPDATE
SET hash = excluded.hash, op_count = excluded.op_count
WHERE kept.hash <> excluded.hash OR kept.op_count IS DISTINCT FROM excluded.op_count
