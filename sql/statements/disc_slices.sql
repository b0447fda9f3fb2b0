-- The combined hashes of the full slices of some sectors.
-- Parameters: $1 space_id, $2 incarnation, $3 sector[], $4 disc slices, $5 the disc's end ($4 * slice_us, or the last
--   time there is), $6 the sectors as a bit mask.
-- Rows: none if the space is gone; else (sector, slice_indices[], hashes) for each sector with such ops, by sector;
--   indices ascending, hashes joined in their order. An index may come several times: in
--   parts, whose XOR is the hash (see fold.sql). One row of nulls without ops.
-- Index: slice_hash_pkey for what is sealed, op_by_stored_at for its tail, op_by_sector_created_at for the rest; all
--   but the tail with one range for each sector. Kept hashes, boundaries and ops come from one snapshot.
--   Lock: none. Isolation: any.
SELECT h.sector, h.slice_indices, h.hashes
FROM space s
JOIN fold f USING (space_id)
LEFT JOIN LATERAL (
    SELECT u.sector, array_agg(u.slice_index ORDER BY u.slice_index) AS slice_indices,
           string_agg(u.hash, ''::bytea ORDER BY u.slice_index) AS hashes
    FROM (SELECT c.sector, k.slice_index, k.hash
          FROM unnest($3::bigint[]) AS c (sector)
          CROSS JOIN LATERAL (
              SELECT k.slice_index, k.hash
              FROM slice_hash k
              WHERE k.space_id = $1::bigint AND k.arc_start = c.sector << 23
                    AND k.arc_end = ((c.sector + 1) << 23) - 1 AND k.slice_index < least($4::bigint, s.full_slices)
              OFFSET 0) k
          UNION ALL
          SELECT o.sector, o.created_at / s.slice_us, o.op_id
          FROM (SELECT o.sector, o.location, o.created_at, o.op_id
                FROM op o
                WHERE o.space_id = $1::bigint AND o.stored_at > f.folded_to
                ORDER BY o.stored_at
                OFFSET 0) o
          WHERE get_bit($6::bytea, o.location >> 23) = 1
                AND o.created_at / s.slice_us < least($4::bigint, s.full_slices) AND s.full_slices > 0
          UNION ALL
          SELECT c.sector, x.slice_index, x.hash
          FROM unnest($3::bigint[]) AS c (sector)
          CROSS JOIN LATERAL (
              SELECT o.created_at / s.slice_us AS slice_index,
                     substring(varbit_send(bit_xor(('x' || encode(o.op_id, 'hex'))::varbit)) FROM 5) AS hash
              FROM (SELECT o.created_at, o.op_id
                    FROM op o
                    WHERE o.space_id = $1::bigint AND o.sector = c.sector::smallint
                          AND o.created_at >= least($4::bigint, s.full_slices) * s.slice_us
                          AND o.created_at < $5::bigint
                    ORDER BY o.created_at
                    OFFSET 0) o
              GROUP BY o.created_at / s.slice_us) x) u
    GROUP BY u.sector) h ON true
WHERE s.space_id = $1::bigint AND s.incarnation = $2::bigint
ORDER BY h.sector
