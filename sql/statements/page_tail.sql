-- One chunk of a page of a part of the ring, of ops that may not be folded yet, with the watermark. The client takes
-- those of the arc: the tail is short, and a part of the ring is hard to say in SQL.
-- Parameters: $1 space_id, $2 incarnation, $3 start (inclusive), $4 most ops.
-- Rows: none if the space is gone, else one: last_stored_at (W); op_ids, joined, sizes[], stored_at[] and locations[]
--   of the ops, by stored_at, null if there are none; exhausted: there are no more.
-- Index: op_by_stored_at; reads what it returns. W and ops come from one snapshot: no op can hide between.
-- Lock: none. Isolation: any.
SELECT s.last_stored_at, p.op_ids, p.sizes, p.stamps, p.locations, p.read < $4::bigint AS exhausted
FROM space s
CROSS JOIN LATERAL (
    SELECT string_agg(c.op_id, ''::bytea) AS op_ids, array_agg(c.size) AS sizes, array_agg(c.stored_at) AS stamps,
           array_agg(c.location) AS locations, count(*) AS read
    FROM (SELECT o.op_id, o.size, o.stored_at, o.location
          FROM op o
          WHERE o.space_id = $1::bigint AND o.stored_at >= $3::bigint
          ORDER BY o.stored_at
          LIMIT $4::bigint) c) p
WHERE s.space_id = $1::bigint AND s.incarnation = $2::bigint
