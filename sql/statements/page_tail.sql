-- One chunk of a page of a part of the ring, of ops that may not be folded yet, with the watermark. The client takes
-- those of the arc: the tail is short, and a part of the ring is hard to say in SQL.
-- Parameters: $1 space_id, $2 incarnation, $3 start (inclusive), $4 bytes that may still be added, $5 ids that may
--   still be added, $6 how many sectors the arc touches.
-- Rows: none if the space is gone, else one: last_stored_at (W); op_ids, joined, sizes[], stored_at[] and locations[]
--   of the ops, by stored_at, null if there are none; exhausted: there are no more.
-- Index: op_by_stored_at; reads what it returns: as many ops as should have enough of the arc among them, 64 to 4096.
--   W and ops come from one snapshot: no op can hide between.
-- Lock: none. Isolation: any.
SELECT h.last_stored_at, p.op_ids, p.sizes, p.stamps, p.locations, p.read < h.chunk AS exhausted
FROM (SELECT s.last_stored_at, least(greatest(64, w.wanted * 512 / $6::bigint), 4096)::bigint AS chunk
      FROM space s JOIN space_total t USING (space_id),
           LATERAL (SELECT least($5::bigint + 1, least($4::bigint, 1::bigint << 40)::float8 * greatest(t.op_count, 1)
                                                 / greatest(t.op_bytes, 1)) AS wanted) w
      WHERE s.space_id = $1::bigint AND s.incarnation = $2::bigint) h
CROSS JOIN LATERAL (
    SELECT string_agg(c.op_id, ''::bytea) AS op_ids, array_agg(c.size) AS sizes, array_agg(c.stored_at) AS stamps,
           array_agg(c.location) AS locations, count(*) AS read
    FROM (SELECT o.op_id, o.size, o.stored_at, o.location
          FROM op o
          WHERE o.space_id = $1::bigint AND o.stored_at >= $3::bigint
          ORDER BY o.stored_at
          LIMIT h.chunk) c) p
