-- Ids of the ops of an arc created within a span of time.
-- Parameters: $1 space_id, $2 incarnation, $3 start (inclusive), $4 end (exclusive) of created_at; $5 sector[],
--   $6 first location[], $7 last location[]: the arc, cut at sector borders.
-- Rows: none if the space is gone; else one for each 65 536 ids, in order: op_ids, joined, by (created_at,
--   op_id), and bytes, the sum of their sizes. Without ops: one row of nulls.
-- Index: op_by_sector_created_at, one range for each piece. Lock: none. Isolation: any.
SELECT c.op_ids, c.bytes
FROM space s
LEFT JOIN LATERAL (
    SELECT n.chunk, string_agg(n.op_id, ''::bytea ORDER BY n.row) AS op_ids, sum(n.size)::bigint AS bytes
    FROM (SELECT o.op_id, o.size, row_number() OVER sorted AS row, (row_number() OVER sorted - 1) >> 16 AS chunk
          FROM unnest($5::bigint[], $6::bigint[], $7::bigint[]) AS p (sector, first, last)
          CROSS JOIN LATERAL (
              SELECT o.op_id, o.size, o.created_at
              FROM op o
              WHERE o.space_id = $1::bigint AND o.sector = p.sector::smallint
                    AND o.created_at >= $3::bigint AND o.created_at < $4::bigint
                    AND o.location BETWEEN p.first AND p.last
              ORDER BY o.created_at
              OFFSET 0) o
          WINDOW sorted AS (ORDER BY o.created_at, o.op_id)) n
    GROUP BY n.chunk) c ON true
WHERE s.space_id = $1::bigint AND s.incarnation = $2::bigint
ORDER BY c.chunk
