-- The hashes of all ops of a space with their watermark: where who follows the space starts.
-- Parameters: $1 space_id, $2 incarnation, $3 disc slices, $4 the disc's end ($3 * slice_us, or the last time there
--   is).
-- Rows: none if the space is gone; else (last_stored_at, op_count, unit, sectors[], hashes, op_counts[]): one for the
--   disc, with unit null, where it holds ops, and one for each unit of time behind it that does, ascending; hashes
--   are joined, in the order of the sectors. Without ops: one row whose sectors are null. A row for each unit, since
--   a row for each cell costs four times the memory.
-- Index: sector_hash_pkey for what is sealed, slice_hash_pkey for what of it lies behind the disc, op_by_stored_at for
--   its tail (see fold.sql), op_by_sector_created_at for the rest, one range for each sector; every op behind the disc
--   is read. Watermark, hashes, boundaries and ops come from one snapshot. Lock: none.
-- Isolation: any.
SELECT s.last_stored_at, t.op_count, h.unit, h.sectors, h.hashes, h.op_counts
FROM space s
JOIN space_total t USING (space_id)
JOIN fold f USING (space_id)
LEFT JOIN LATERAL (
    SELECT c.unit, array_agg(c.sector) AS sectors, string_agg(c.hash, ''::bytea) AS hashes,
           array_agg(c.op_count) AS op_counts
    -- Sorted once, here: each aggregate would sort its rows again.
    FROM (SELECT NULL::bigint AS unit, d.sector, substring(varbit_send(bit_xor(d.bits)) FROM 5) AS hash,
                 sum(d.op_count)::bigint AS op_count
          FROM (SELECT d.sector, ('x' || encode(d.hash, 'hex'))::varbit AS bits, d.op_count
                FROM sector_hash d
                WHERE d.space_id = $1::bigint
                UNION ALL
                SELECT c.sector, ('x' || encode(k.hash, 'hex'))::varbit, -k.op_count
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
                SELECT o.sector, ('x' || encode(o.op_id, 'hex'))::varbit, 1
                FROM op o
                WHERE o.space_id = $1::bigint AND o.stored_at > f.folded_to
                      AND o.created_at / s.slice_us < least($3::bigint, s.full_slices) AND s.full_slices > 0
                UNION ALL
                SELECT c.sector, o.bits, o.op_count
                FROM generate_series(0::bigint, 511::bigint) AS c (sector)
                CROSS JOIN LATERAL (
                    SELECT bit_xor(('x' || encode(o.op_id, 'hex'))::varbit) AS bits, count(*) AS op_count
                    FROM op o
                    WHERE o.space_id = $1::bigint AND o.sector = c.sector::smallint
                          AND o.created_at >= least($3::bigint, s.full_slices) * s.slice_us
                          AND o.created_at < $4::bigint
                    HAVING count(*) > 0) o) d
          GROUP BY d.sector
          HAVING sum(d.op_count) > 0
          UNION ALL
          SELECT r.unit, c.sector, r.hash, r.op_count
          FROM generate_series(0::bigint, 511::bigint) AS c (sector)
          CROSS JOIN LATERAL (
              SELECT o.created_at / 900000000 AS unit,
                     substring(varbit_send(bit_xor(('x' || encode(o.op_id, 'hex'))::varbit)) FROM 5) AS hash,
                     count(*) AS op_count
              FROM op o
              WHERE o.space_id = $1::bigint AND o.sector = c.sector::smallint AND o.created_at >= $4::bigint
              GROUP BY o.created_at / 900000000) r
          ORDER BY 1, 2) c
    GROUP BY c.unit) h ON true
WHERE s.space_id = $1::bigint AND s.incarnation = $2::bigint
ORDER BY h.unit NULLS FIRST
