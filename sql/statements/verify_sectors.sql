-- Compares the hash that is kept of each sector with those of its slices.
-- Parameters: $1 space_id.
-- Rows: sector, kept hash and count, and those computed (null where there is none), where they differ, by sector.
-- A slice hash of another length than the space's, or of no sector, is damage that verify_slices names; here it would
-- be an error.
-- Both sides come from one snapshot. Lock: none. Isolation: any.
WITH computed AS (
    SELECT (h.arc_start >> 23)::smallint AS sector,
           substring(varbit_send(bit_xor(('x' || encode(h.hash, 'hex'))::varbit)) FROM 5) AS hash,
           sum(h.op_count)::bigint AS op_count
    FROM space s JOIN slice_hash h ON h.space_id = s.space_id
    WHERE s.space_id = $1::bigint AND s.slice_mode = 'store'
          AND h.arc_start BETWEEN 0 AND 511::bigint << 23 AND h.arc_start & 8388607 = 0
          AND h.arc_end = h.arc_start + 8388607 AND h.slice_index < s.full_slices
          AND octet_length(h.hash) = s.id_length
    GROUP BY 1
)
SELECT sector::bigint, k.op_count AS kept_count, c.op_count, k.hash AS kept_hash, c.hash
FROM computed c FULL JOIN (SELECT * FROM sector_hash WHERE space_id = $1::bigint) k USING (sector)
WHERE k.hash IS DISTINCT FROM c.hash OR k.op_count IS DISTINCT FROM c.op_count
ORDER BY sector
