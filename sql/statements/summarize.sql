-- Disc and rings of some sectors: what peers compare first.
-- Parameters: $1 space_id, $2 incarnation, $3 sector[], $4 disc slices (the disc is [0, $4 * slice_us)), $5 ring
--   start[] (inclusive), $6 ring end[] (exclusive), $7 the sectors as a bit mask.
-- Rows: none if the space is gone; else (ring, hash) for each part with ops: ring -1 for the disc, else the ring from
--   0. A part may come several times, in pieces, whose XOR is its hash. One row of nulls without ops.
-- Index: sector_hash_pkey for what is sealed, slice_hash_pkey for what of it lies behind the disc, unit_hash_pkey for
--   what is not, op_by_stored_at for the tail of all of them (see fold.sql), op_by_sector_created_at for what is kept
--   in none. Hashes, boundaries and ops come from one snapshot. Lock: none. Isolation: any.
SELECT h.ring, h.hash
FROM space s
JOIN fold f USING (space_id)
-- What was created up to then is not read from unit_hash. No ring lies on both sides: it starts at a multiple of its
-- length. Of a disc that ends before the sealed slices do, rings may lie amid a stretch. A unit's rows are of all
-- sectors: for a few of these it is less to read their ops.
CROSS JOIN LATERAL (
    SELECT CASE WHEN s.slice_mode = 'store' AND $4::bigint >= s.full_slices AND cardinality($3::bigint[]) >= 128
                THEN s.full_slices * s.slice_us - 1
                ELSE 9223372036854775807 END AS units_behind) b
LEFT JOIN LATERAL (
    WITH part AS (
        SELECT -1::bigint AS ring, least($4::bigint, s.full_slices) * s.slice_us AS starts,
               $4::bigint * s.slice_us AS ends
        UNION ALL
        SELECT r.ordinal - 1, r.starts, r.ends
        FROM unnest($5::bigint[], $6::bigint[]) WITH ORDINALITY AS r (starts, ends, ordinal)
    )
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
          FROM (SELECT o.location, o.created_at, o.op_id
                FROM op o
                WHERE o.space_id = $1::bigint AND o.stored_at > f.folded_to
                ORDER BY o.stored_at
                OFFSET 0) o
          WHERE get_bit($7::bytea, o.location >> 23) = 1
                AND o.created_at / s.slice_us < least($4::bigint, s.full_slices) AND s.full_slices > 0) k
    HAVING sum(k.op_count) > 0
    UNION ALL
    -- Added up for each part by itself: all parts together would be sorted first.
    SELECT p.ring, u.hash
    FROM part p
    CROSS JOIN LATERAL (
        SELECT substring(varbit_send(bit_xor(('x' || encode(u.hash, 'hex'))::varbit)) FROM 5) AS hash
        FROM unit_hash u
        WHERE u.space_id = $1::bigint AND u.unit >= p.starts / 900000000 AND u.unit < p.ends / 900000000
              -- No sector is above 511; where damage says so, that is for verify to name, not to fail of.
              AND get_bit($7::bytea, u.sector & 511) = 1
        HAVING count(*) > 0) u
    WHERE b.units_behind < 9223372036854775807
    UNION ALL
    SELECT p.ring, o.op_id
    FROM (SELECT o.location, o.created_at, o.op_id
          FROM op o
          WHERE o.space_id = $1::bigint AND o.stored_at > f.folded_to
          ORDER BY o.stored_at
          OFFSET 0) o
    JOIN part p ON o.created_at >= p.starts AND o.created_at < p.ends
    WHERE get_bit($7::bytea, o.location >> 23) = 1
          AND o.created_at > b.units_behind AND b.units_behind < 9223372036854775807
    UNION ALL
    SELECT p.ring, substring(varbit_send(bit_xor(('x' || encode(o.op_id, 'hex'))::varbit)) FROM 5)
    FROM part p
    CROSS JOIN unnest($3::bigint[]) AS c (sector)
    CROSS JOIN LATERAL (
        SELECT o.op_id
        FROM op o
        WHERE o.space_id = $1::bigint AND o.sector = c.sector::smallint
              AND o.created_at >= p.starts AND o.created_at < p.ends
        ORDER BY o.created_at
        OFFSET 0) o
    WHERE p.starts <= b.units_behind
    GROUP BY p.ring) h ON true
WHERE s.space_id = $1::bigint AND s.incarnation = $2::bigint
