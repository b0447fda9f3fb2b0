-- Replaces the hashes that are kept of the stretches of time behind the full slices by what the ops folded into them
-- say.
-- Run behind lock_space and lock_fold, when sectors and the end of the fold are right.
-- Parameters: $1 space_id. The rows removed and the rows written are never the same.
-- NOT IN is hashed whatever the statistics say; NOT EXISTS compared all with all where they were old.
WITH computed AS MATERIALIZED (
    SELECT stretch_start(o.created_at, s.full_slices, s.slice_us) AS unit, o.sector,
           substring(varbit_send(bit_xor(('x' || encode(o.op_id, 'hex'))::varbit)) FROM 5) AS hash,
           count(*) AS op_count
    FROM space s JOIN fold f USING (space_id)
         JOIN op o ON o.space_id = s.space_id AND o.created_at >= s.full_slices * s.slice_us
                      AND o.stored_at <= f.folded_to
    WHERE s.space_id = $1::bigint AND s.slice_mode = 'store'
    GROUP BY 1, 2
), removed AS (
    DELETE FROM unit_hash u
    WHERE u.space_id = $1::bigint
          AND (u.unit, u.sector) NOT IN (SELECT c.unit, c.sector FROM computed c)
)
INSERT INTO unit_hash AS kept (space_id, unit, sector, hash, op_count)
SELECT $1::bigint, unit, sector, hash, op_count
FROM computed
ON CONFLICT (space_id, unit, sector) DO UPDATE
SET hash = excluded.hash, op_count = excluded.op_count
WHERE kept.hash <> excluded.hash OR kept.op_count <> excluded.op_count
