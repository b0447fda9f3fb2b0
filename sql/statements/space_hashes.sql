-- The hashes of all ops of a space with their watermark: where who follows the space starts.
-- Parameters: $1 space_id, $2 incarnation, $3 disc slices, $4 the disc's end ($3 * slice_us, or the last time there
--   is).
-- Rows: none if the space is gone; else (last_stored_at, op_count, unit, sectors[], hashes, op_counts[]): of the disc,
--   with unit null, and of the units and stretches of time behind it, in any order; hashes are joined, in the order of
--   the sectors. What is in several rows has its hash in parts, whose XOR it is, and whose counts add up: below zero is
--   what the disc has less than all sealed slices. Without ops: one row whose sectors are null. A row for each unit,
--   since a row for each cell costs four times the memory.
-- Index: sector_hash_pkey for what is sealed, slice_hash_pkey for what of it lies behind the disc, unit_hash_pkey for
--   what is not, op_by_stored_at for the tail of all of them (see fold.sql), op_by_sector_created_at for what is kept
--   in none: all behind a disc that ends before the sealed slices do, and everything in slice mode host; one range for
--   each sector.
--   Watermark, hashes, boundaries and ops come from one snapshot. Lock: none. Isolation: any.
SELECT s.last_stored_at, t.op_count, h.unit, h.sectors, h.hashes, h.op_counts
FROM space s
JOIN space_total t USING (space_id)
JOIN fold f USING (space_id)
-- What was created up to then is in no unit_hash. Of a smaller disc the rings may lie amid a stretch. The last time
-- there is, is amid a unit, which belongs to the disc in part. So in both cases all is read from op.
CROSS JOIN LATERAL (
    SELECT CASE WHEN s.slice_mode = 'store' AND $3::bigint >= s.full_slices AND $4::bigint % 900000000 = 0
                THEN s.full_slices * s.slice_us - 1
                ELSE 9223372036854775807 END AS units_behind) b
LEFT JOIN LATERAL (
    SELECT NULL::bigint AS unit, array_agg(d.sector) AS sectors, string_agg(d.hash, ''::bytea) AS hashes,
           array_agg(d.op_count) AS op_counts
    FROM (SELECT d.sector, d.hash, d.op_count
          FROM sector_hash d
          WHERE d.space_id = $1::bigint
          ORDER BY d.sector) d
    HAVING count(*) > 0
    UNION ALL
    SELECT c.unit, array_agg(c.sector), string_agg(c.hash, ''::bytea), array_agg(c.op_count)
    FROM (SELECT u.unit, u.sector, u.hash, u.op_count
          FROM unit_hash u
          WHERE u.space_id = $1::bigint AND u.unit >= $4::bigint / 900000000
                AND b.units_behind < 9223372036854775807
          ORDER BY u.unit, u.sector) c
    GROUP BY c.unit
    UNION ALL
    SELECT c.unit, array_agg(c.sector), string_agg(c.hash, ''::bytea), array_agg(c.op_count)
    -- Sorted once, here: each aggregate would sort its rows again.
    FROM (SELECT d.unit, d.sector, substring(varbit_send(bit_xor(d.bits)) FROM 5) AS hash,
                 sum(d.op_count)::bigint AS op_count
          FROM (SELECT NULL::bigint AS unit, c.sector::smallint, ('x' || encode(k.hash, 'hex'))::varbit AS bits,
                       -k.op_count AS op_count
                FROM generate_series(0::bigint, 511::bigint) AS c (sector)
                CROSS JOIN LATERAL (
                    SELECT k.hash, k.op_count
                    FROM slice_hash k
                    WHERE k.space_id = $1::bigint AND k.arc_start = c.sector << 23
                          AND k.arc_end = ((c.sector + 1) << 23) - 1
                          AND k.slice_index >= $3::bigint AND k.slice_index < s.full_slices
                    OFFSET 0) k
                WHERE $3::bigint < s.full_slices
                UNION ALL
                SELECT NULL, u.sector, ('x' || encode(u.hash, 'hex'))::varbit, u.op_count
                FROM unit_hash u
                WHERE u.space_id = $1::bigint AND u.unit < $4::bigint / 900000000
                      AND b.units_behind < 9223372036854775807
                UNION ALL
                SELECT CASE WHEN o.created_at >= $4::bigint THEN o.created_at / 900000000 END, o.sector,
                       ('x' || encode(o.op_id, 'hex'))::varbit, 1
                FROM (SELECT o.sector, o.created_at, o.op_id
                      FROM op o
                      WHERE o.space_id = $1::bigint AND o.stored_at > f.folded_to
                      ORDER BY o.stored_at
                      OFFSET 0) o
                WHERE s.slice_mode = 'store'
                      AND (o.created_at / s.slice_us < least($3::bigint, s.full_slices)
                           OR o.created_at > b.units_behind)
                UNION ALL
                SELECT o.unit, c.sector::smallint, o.bits, o.op_count
                FROM generate_series(0::bigint, 511::bigint) AS c (sector)
                CROSS JOIN LATERAL (
                    SELECT CASE WHEN o.created_at >= $4::bigint THEN o.created_at / 900000000 END AS unit,
                           bit_xor(('x' || encode(o.op_id, 'hex'))::varbit) AS bits, count(*) AS op_count
                    FROM (SELECT o.created_at, o.op_id
                          FROM op o
                          WHERE o.space_id = $1::bigint AND o.sector = c.sector::smallint
                                AND o.created_at >= least($3::bigint, s.full_slices) * s.slice_us
                                AND o.created_at <= b.units_behind
                          ORDER BY o.created_at
                          OFFSET 0) o
                    GROUP BY 1) o
                WHERE least($3::bigint, s.full_slices) * s.slice_us <= b.units_behind) d
          GROUP BY d.unit, d.sector
          ORDER BY 1, 2) c
    GROUP BY c.unit) h ON true
WHERE s.space_id = $1::bigint AND s.incarnation = $2::bigint
