-- Number and bytes of the ops of some regions, with the watermark: which of them fit into an answer.
-- Parameters: $1 space_id, $2 incarnation; $3 sector[], $4 start[] (inclusive) and $5 end[] (exclusive) of created_at:
--   the regions.
-- Rows: none if the space is gone, else one: last_stored_at (W); op_counts[] and bytes[], one for each region, in
--   their order, null without regions.
-- Index: op_by_sector_created_at, one range for each region. W and sums come from one snapshot. Lock: none.
-- Isolation: any.
SELECT s.last_stored_at, r.op_counts, r.bytes
FROM space s
CROSS JOIN LATERAL (
    SELECT array_agg(x.op_count ORDER BY g.ordinal) AS op_counts, array_agg(x.bytes ORDER BY g.ordinal) AS bytes
    FROM unnest($3::bigint[], $4::bigint[], $5::bigint[]) WITH ORDINALITY AS g (sector, starts, ends, ordinal)
    CROSS JOIN LATERAL (
        SELECT count(*) AS op_count, coalesce(sum(o.size), 0)::bigint AS bytes
        FROM (SELECT o.size
              FROM op o
              WHERE o.space_id = $1::bigint AND o.sector = g.sector::smallint
                    AND o.created_at >= g.starts AND o.created_at < g.ends
              ORDER BY o.created_at
              OFFSET 0) o) x) r
WHERE s.space_id = $1::bigint AND s.incarnation = $2::bigint
