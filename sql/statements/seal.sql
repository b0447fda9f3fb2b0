-- Makes the kept hashes of the slices [$2, $3) of all sectors from those of their units, and moves the boundary there.
-- Of the units that lie next behind it, it makes the stretches of the new boundary.
-- Run behind lock_space, lock_fold and as many fold as there are to do, in their transaction: nobody stores ops
-- meanwhile, and none is left in the tail that would be counted twice.
-- Parameters: $1 space_id, $2 full_slices as locked, $3 the new one.
-- Rows: one. Index: unit_hash_pkey, two ranges. No op is read.
WITH sealed_unit AS (
    DELETE FROM unit_hash u
    USING space s
    WHERE s.space_id = $1::bigint AND u.space_id = $1::bigint
          AND u.unit >= $2::bigint * s.slice_us / 900000000 AND u.unit < $3::bigint * s.slice_us / 900000000
    RETURNING u.sector::bigint, u.unit * 900000000 / s.slice_us AS slice_index, u.hash, u.op_count
), computed AS MATERIALIZED (
    SELECT u.sector, u.slice_index, bit_xor(('x' || encode(u.hash, 'hex'))::varbit) AS bits,
           sum(u.op_count)::bigint AS op_count
    FROM sealed_unit u
    GROUP BY u.sector, u.slice_index
), sealed AS (
    INSERT INTO slice_hash (space_id, arc_start, arc_end, slice_index, hash, op_count)
    SELECT $1::bigint, x.sector << 23, ((x.sector + 1) << 23) - 1, x.slice_index,
           substring(varbit_send(x.bits) FROM 5), x.op_count
    FROM computed x
    -- A hash beyond the boundary is damage; what the units say replaces it.
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
), moved_unit AS (
    DELETE FROM unit_hash u
    USING space s
    WHERE s.space_id = $1::bigint AND u.space_id = $1::bigint
          AND u.unit >= $3::bigint * (s.slice_us / 900000000)
          AND u.unit < ($3::bigint + 1) * (s.slice_us / 900000000)
          AND u.unit <> stretch_start(u.unit * 900000000, $3::bigint, s.slice_us)
    RETURNING stretch_start(u.unit * 900000000, $3::bigint, s.slice_us) AS unit, u.sector, u.hash, u.op_count
), joined AS (
    INSERT INTO unit_hash AS kept (space_id, unit, sector, hash, op_count)
    SELECT $1::bigint, u.unit, u.sector, substring(varbit_send(bit_xor(('x' || encode(u.hash, 'hex'))::varbit)) FROM 5),
           sum(u.op_count)::bigint
    FROM moved_unit u
    GROUP BY u.unit, u.sector
    -- A stretch has the number of its first unit, which stays.
    ON CONFLICT (space_id, unit, sector) DO UPDATE
    SET hash = substring(varbit_send(('x' || encode(kept.hash, 'hex'))::varbit
                                     # ('x' || encode(excluded.hash, 'hex'))::varbit) FROM 5),
        op_count = kept.op_count + excluded.op_count
)
UPDATE space SET full_slices = $3::bigint WHERE space_id = $1::bigint
RETURNING full_slices
