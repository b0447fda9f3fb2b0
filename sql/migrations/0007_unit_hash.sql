-- Starts that take no longer the more ops were created of late: their hashes are kept too, by units of time.
-- It reads the ops behind the full slices once. Who folds, seals, or asks for hashes or a part of the ring waits.
LOCK TABLE fold;

-- The XOR and the number of the ops of a sector that were created in one unit of time, 15 minutes, behind the full
-- slices; in slice mode store. A seal makes slice hashes of them, and deletes them. However many ops there are, the
-- time since the last full slice has no more than 2^(slice_factor + 1) - 1 units, if it is sealed when it is due.
CREATE TABLE unit_hash (
    space_id bigint   NOT NULL,
    unit     bigint   NOT NULL,  -- created_at / 900000000
    sector   smallint NOT NULL,
    hash     bytea    NOT NULL,
    op_count bigint   NOT NULL,
    PRIMARY KEY (space_id, unit, sector)
) WITH (fillfactor = 70);
INSERT INTO unit_hash (space_id, unit, sector, hash, op_count)
SELECT s.space_id, x.unit, c.sector, x.hash, x.op_count
FROM space s
JOIN fold f USING (space_id)
CROSS JOIN generate_series(0, 511) AS c (sector)
CROSS JOIN LATERAL (
    SELECT o.created_at / 900000000 AS unit,
           substring(varbit_send(bit_xor(('x' || encode(o.op_id, 'hex'))::varbit)) FROM 5) AS hash, count(*) AS op_count
    FROM op o
    WHERE o.space_id = s.space_id AND o.sector = c.sector::smallint
          AND o.created_at >= s.full_slices * s.slice_us AND o.stored_at <= f.folded_to
    GROUP BY o.created_at / 900000000) x
WHERE s.slice_mode = 'store'
ORDER BY s.space_id, x.unit, c.sector;
