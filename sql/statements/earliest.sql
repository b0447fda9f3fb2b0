-- The earliest created_at in each of some arcs, by pieces.
-- Parameters: $1 space_id, $2 incarnation; $3 arc[] (a number for each piece), $4 sector[], $5 first location[],
--   $6 last location[]: the arcs, cut at sector borders.
-- Rows: none if the space is gone; else (arc, created_at) for each piece with ops, of which the client takes each arc's
--   least (to group here would cost half as much again); one row of nulls without any.
-- Index: op_by_sector_created_at, one probe for each piece: it reads a whole sector only where an arc that ends
--   inside of it holds none of its first ops. Lock: none. Isolation: any.
SELECT e.arc, e.created_at
FROM space s
LEFT JOIN LATERAL (
    SELECT p.arc, o.created_at
    FROM unnest($3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[]) AS p (arc, sector, first, last)
    CROSS JOIN LATERAL (
        SELECT o.created_at
        FROM op o
        WHERE o.space_id = $1::bigint AND o.sector = p.sector::smallint
              AND o.location BETWEEN p.first AND p.last
        ORDER BY o.created_at
        LIMIT 1) o) e ON true
WHERE s.space_id = $1::bigint AND s.incarnation = $2::bigint
