-- The next ops of the whole ring, as who follows the space needs them, with the watermark.
-- Parameters: $1 space_id, $2 incarnation, $3 start (inclusive), $4 most ops.
-- Rows: none if the space is gone, else one: last_stored_at (W); op_ids, joined, locations[], created_at[] and
--   stored_at[] of the ops, by stored_at, null if there are none.
-- Index: op_by_stored_at; reads what it returns. W and ops come from one snapshot: no op can hide between.
-- Lock: none. Isolation: any.
SELECT s.last_stored_at, p.op_ids, p.locations, p.created, p.stamps
FROM space s
CROSS JOIN LATERAL (
    SELECT string_agg(c.op_id, ''::bytea) AS op_ids, array_agg(c.location) AS locations,
           array_agg(c.created_at) AS created, array_agg(c.stored_at) AS stamps
    FROM (SELECT o.op_id, o.location, o.created_at, o.stored_at
          FROM op o
          WHERE o.space_id = $1::bigint AND o.stored_at >= $3::bigint
          ORDER BY o.stored_at
          LIMIT $4::bigint) c) p
WHERE s.space_id = $1::bigint AND s.incarnation = $2::bigint
