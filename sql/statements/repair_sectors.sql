-- Replaces the hash that is kept of each sector by what those of its slices say. Run behind lock_space and lock_fold,
-- when these are right.
-- Parameters: $1 space_id. The rows removed and the rows written are never the same.
WITH computed AS MATERIALIZED (
    SELECT (h.arc_start >> 23)::smallint AS sector,
           substring(varbit_send(bit_xor(('x' || encode(h.hash, 'hex'))::varbit)) FROM 5) AS hash,
           sum(h.op_count)::bigint AS op_count
    FROM space s JOIN slice_hash h ON h.space_id = s.space_id
    WHERE s.space_id = $1::bigint AND s.slice_mode = 'store'
          AND h.arc_start & 8388607 = 0 AND h.arc_end = h.arc_start + 8388607
    GROUP BY 1
), removed AS (
    DELETE FROM sector_hash d
    WHERE d.space_id = $1::bigint AND NOT EXISTS (SELECT FROM computed c WHERE c.sector = d.sector)
)
INSERT INTO sector_hash AS kept (space_id, sector, hash, op_count)
SELECT $1::bigint, sector, hash, op_count
FROM computed
ON CONFLICT (space_id, sector) DO UPDATE
SET hash = excluded.hash, op_count = excluded.op_count
WHERE kept.hash <> excluded.hash OR kept.op_count <> excluded.op_count
