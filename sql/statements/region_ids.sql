-- The ids of all ops of some regions, as they were at a watermark.
-- Parameters: $1 space_id, $2 incarnation; $3 sector[], $4 start[] (inclusive) and $5 end[] (exclusive) of created_at:
--   the regions; $6 W of the statement that told how many ops these are (region_sums): ops stored since are left
--   out, so that the two statements see the same ops without a transaction around them.
-- Rows: none if the space is gone; else (region, op_ids) for each region with ops: its number from 0, ids joined, by
--   (created_at, op_id). One row of nulls without any.
-- Index: op_by_sector_created_at, one range for each region. Lock: none. Isolation: any.
SELECT r.region, r.op_ids
FROM space s
LEFT JOIN LATERAL (
    SELECT g.ordinal - 1 AS region, x.op_ids
    FROM unnest($3::bigint[], $4::bigint[], $5::bigint[]) WITH ORDINALITY AS g (sector, starts, ends, ordinal)
    CROSS JOIN LATERAL (
        SELECT string_agg(o.op_id, ''::bytea ORDER BY o.created_at, o.op_id) AS op_ids
        FROM (SELECT o.created_at, o.op_id
              FROM op o
              WHERE o.space_id = $1::bigint AND o.sector = g.sector::smallint
                    AND o.created_at >= g.starts AND o.created_at < g.ends AND o.stored_at <= $6::bigint
              ORDER BY o.created_at
              OFFSET 0) o
        HAVING count(*) > 0) x) r ON true
WHERE s.space_id = $1::bigint AND s.incarnation = $2::bigint
