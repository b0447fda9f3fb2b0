-- Compares the hash that is kept of each stretch of time behind the full slices, in each sector, with the ops folded
-- into it.
-- Parameters: $1 space_id, $2 most rows.
-- Rows: (sector, unit, kept hash and count, computed hash and count, differing): those that differ, null where there
--   is none, by sector and unit; differing: how many there are in all.
-- Reads all ops behind the boundary. Both sides come from one snapshot. Lock: none. Isolation: any.
WITH computed AS (
    SELECT stretch_start(o.created_at, s.full_slices, s.slice_us) AS unit, o.sector,
           substring(varbit_send(bit_xor(('x' || encode(o.op_id, 'hex'))::varbit)) FROM 5) AS hash,
           count(*) AS op_count
    FROM space s JOIN fold f USING (space_id)
         JOIN op o ON o.space_id = s.space_id AND o.created_at >= s.full_slices * s.slice_us
                      AND o.stored_at <= f.folded_to
    WHERE s.space_id = $1::bigint AND s.slice_mode = 'store'
    GROUP BY 1, 2
)
SELECT sector::bigint, unit, k.op_count AS kept_count, c.op_count, k.hash AS kept_hash, c.hash,
       count(*) OVER () AS differing
FROM computed c FULL JOIN (SELECT * FROM unit_hash WHERE space_id = $1::bigint) k USING (unit, sector)
WHERE k.hash IS DISTINCT FROM c.hash OR k.op_count IS DISTINCT FROM c.op_count
ORDER BY sector, unit
LIMIT $2::bigint
