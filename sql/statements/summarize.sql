-- Disc and rings of some sectors: what peers compare first.
-- Parameters: $1 space_id, $2 incarnation, $3 sector[], $4 disc slices (the disc is [0, $4 * slice_us)), $5 ring
--   start[] (inclusive), $6 ring end[] (exclusive), $7 the sectors as a bit mask.
-- Rows: none if the space is gone; else (ring, hash) for each part with ops: ring -1 for the disc (up to two rows,
--   to be combined: what is sealed, and ops beyond it), else the ring from 0. One row of nulls without ops.
-- Index: sector_hash_pkey for what is sealed, slice_hash_pkey for what of it lies behind the disc, op_by_stored_at for
--   its tail (see fold.sql), op_by_sector_created_at for the rest. Hashes, boundaries and ops come from one snapshot.
--   Lock: none. Isolation: any.
SELECT h.ring, h.hash
FROM space s
JOIN fold f USING (space_id)
LEFT JOIN LATERAL (
    SELECT -1::bigint AS ring,
           substring(varbit_send(bit_xor(('x' || encode(k.hash, 'hex'))::varbit)) FROM 5) AS hash
    FROM (SELECT d.hash, d.op_count
          FROM unnest($3::bigint[]) AS c (sector)
          CROSS JOIN LATERAL (
              SELECT d.hash, d.op_count
              FROM sector_hash d
              WHERE d.space_id = $1::bigint AND d.sector = c.sector::smallint
              OFFSET 0) d
          UNION ALL
          SELECT k.hash, -k.op_count
          FROM unnest($3::bigint[]) AS c (sector)
          CROSS JOIN LATERAL (
              SELECT k.hash, k.op_count
              FROM slice_hash k
              WHERE k.space_id = $1::bigint AND k.arc_start = c.sector << 23
                    AND k.arc_end = ((c.sector + 1) << 23) - 1
                    AND k.slice_index >= $4::bigint AND k.slice_index < s.full_slices
              OFFSET 0) k
          WHERE $4::bigint < s.full_slices
          UNION ALL
          SELECT o.op_id, 1
          FROM op o
          WHERE o.space_id = $1::bigint AND o.stored_at > f.folded_to AND get_bit($7::bytea, o.location >> 23) = 1
                AND o.created_at / s.slice_us < least($4::bigint, s.full_slices) AND s.full_slices > 0) k
    HAVING sum(k.op_count) > 0
    UNION ALL
    SELECT r.ring, substring(varbit_send(bit_xor(('x' || encode(o.op_id, 'hex'))::varbit)) FROM 5)
    FROM (SELECT -1::bigint AS ring, least($4::bigint, s.full_slices) * s.slice_us AS starts,
                 $4::bigint * s.slice_us AS ends
          UNION ALL
          SELECT r.ordinal - 1, r.starts, r.ends
          FROM unnest($5::bigint[], $6::bigint[]) WITH ORDINALITY AS r (starts, ends, ordinal)) r
    CROSS JOIN unnest($3::bigint[]) AS c (sector)
    CROSS JOIN LATERAL (
        SELECT o.op_id
        FROM op o
        WHERE o.space_id = $1::bigint AND o.sector = c.sector::smallint
              AND o.created_at >= r.starts AND o.created_at < r.ends
        OFFSET 0) o
    GROUP BY r.ring) h ON true
WHERE s.space_id = $1::bigint AND s.incarnation = $2::bigint
