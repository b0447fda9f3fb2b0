-- The next ids of the whole ring, for who remembers which are held.
-- Parameters: $1 space_id, $2 incarnation, $3 start (inclusive), $4 most ids.
-- Rows: none if the space is gone, else one: last_stored_at (W), op_count; op_ids, joined, those with the lowest
--   stamps, null if there are none; their number and the last one's stamp.
-- Index: op_by_stored_at; reads what it returns. W, op_count and ids come from one snapshot: no op can hide between.
-- Lock: none. Isolation: any.
SELECT s.last_stored_at, t.op_count, p.op_ids, p.number, p.last_stamp
FROM space s
JOIN space_total t USING (space_id)
CROSS JOIN LATERAL (
    SELECT string_agg(c.op_id, ''::bytea) AS op_ids, count(*) AS number, max(c.stored_at) AS last_stamp
    FROM (SELECT o.op_id, o.stored_at
          FROM op o
          WHERE o.space_id = $1::bigint AND o.stored_at >= $3::bigint
          ORDER BY o.stored_at
          LIMIT $4::bigint) c) p
WHERE s.space_id = $1::bigint AND s.incarnation = $2::bigint
