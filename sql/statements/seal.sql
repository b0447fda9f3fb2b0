-- Computes and keeps the hashes of the slices [$2, $3) of all sectors, and moves the boundary there.
-- Run behind lock_space, lock_fold and as many fold as there are to do, in their transaction: nobody stores ops
-- meanwhile, and none is left in the tail that would be counted twice.
-- Parameters: $1 space_id, $2 full_slices as locked, $3 the new one.
-- Rows: one. Index: op_by_sector_created_at, one range for each sector.
WITH computed AS MATERIALIZED (
    SELECT c.sector, x.slice_index, x.bits, x.op_count
    FROM space s
    CROSS JOIN generate_series(0::bigint, 511::bigint) AS c (sector)
    CROSS JOIN LATERAL (
        SELECT o.created_at / s.slice_us AS slice_index, bit_xor(('x' || encode(o.op_id, 'hex'))::varbit) AS bits,
               count(*) AS op_count
        FROM op o
        WHERE o.space_id = $1::bigint AND o.sector = c.sector::smallint
              AND o.created_at >= $2::bigint * s.slice_us AND o.created_at < $3::bigint * s.slice_us
        GROUP BY o.created_at / s.slice_us) x
    WHERE s.space_id = $1::bigint
), sealed AS (
    INSERT INTO slice_hash (space_id, arc_start, arc_end, slice_index, hash, op_count)
    SELECT $1::bigint, x.sector << 23, ((x.sector + 1) << 23) - 1, x.slice_index,
           substring(varbit_send(x.bits) FROM 5), x.op_count
    FROM computed x
    -- A hash beyond the boundary is damage; what the ops say replaces it.
    ON CONFLICT (space_id, arc_start, arc_end, slice_index) DO UPDATE
    SET hash = excluded.hash, op_count = excluded.op_count
), summed AS (
    INSERT INTO sector_hash AS kept (space_id, sector, hash, op_count)
    SELECT $1::bigint, x.sector, substring(varbit_send(bit_xor(x.bits)) FROM 5), sum(x.op_count)
    FROM computed x
    GROUP BY x.sector
    ON CONFLICT (space_id, sector) DO UPDATE
    SET hash = substring(varbit_send(('x' || encode(kept.hash, 'hex'))::varbit
                                     # ('x' || encode(excluded.hash, 'hex'))::varbit) FROM 5),
        op_count = kept.op_count + excluded.op_count
)
UPDATE space SET full_slices = $3::bigint WHERE space_id = $1::bigint
RETURNING full_slices
