-- XOR and number of the op ids of each sector in each of some spans of creation time.
-- Parameters: $1 space_id, $2 incarnation, $3 sector[], $4 start[] (inclusive), $5 end[] (exclusive; parallel to $4).
-- Rows: none if the space is gone; else (range, sector, hash, op_count), range from 0, by range and sector, where
--   there are ops; one row of nulls where there are none at all.
-- Index: op_by_sector_created_at, one range for each sector and span. Lock: none. Isolation: any.
SELECT h.range, h.sector, h.hash, h.op_count
FROM space s
LEFT JOIN LATERAL (
    SELECT r.ordinal - 1 AS range, c.sector, x.hash, x.op_count
    FROM unnest($4::bigint[], $5::bigint[]) WITH ORDINALITY AS r (starts, ends, ordinal)
    CROSS JOIN unnest($3::bigint[]) AS c (sector)
    CROSS JOIN LATERAL (
        SELECT substring(varbit_send(bit_xor(('x' || encode(o.op_id, 'hex'))::varbit)) FROM 5) AS hash,
               count(*) AS op_count
        FROM (SELECT o.op_id
              FROM op o
              WHERE o.space_id = $1::bigint AND o.sector = c.sector::smallint
                    AND o.created_at >= r.starts AND o.created_at < r.ends
              ORDER BY o.created_at
              OFFSET 0) o
        HAVING count(*) > 0) x) h ON true
WHERE s.space_id = $1::bigint AND s.incarnation = $2::bigint
ORDER BY h.range, h.sector
