-- One chunk of a page of the whole ring, with the watermark.
-- Parameters: $1 space_id, $2 incarnation, $3 start (inclusive), $4 bytes that may still be added, $5 ids that may
--   still be added.
-- Rows: none if the space is gone, else one: last_stored_at (W); op_ids, joined, sizes[] and stored_at[] of the
--   chunk, by stored_at, null if it is empty; exhausted: the chunk reached the end of the space. The client cuts
--   the page out of it: numbers in arrays cost half of what a row for each op does, and a running sum here more.
-- Index: op_by_stored_at. The chunk is as many ops as fit by their average size, and some more: it reads what
--   it returns, and never the rest of the tail. W and ops come from one snapshot: no op can hide between.
-- Lock: none. Isolation: any.
SELECT h.last_stored_at, p.op_ids, p.sizes, p.stamps, p.read < h.chunk AS exhausted
FROM (SELECT s.last_stored_at,
             least($5::bigint + 1, 32 + (least($4::bigint, 1::bigint << 40)::float8 * 1.03 * greatest(t.op_count, 1)
                                         / greatest(t.op_bytes, 1)))::bigint AS chunk
      FROM space s JOIN space_total t USING (space_id)
      WHERE s.space_id = $1::bigint AND s.incarnation = $2::bigint) h
CROSS JOIN LATERAL (
    SELECT string_agg(c.op_id, ''::bytea) AS op_ids, array_agg(c.size) AS sizes, array_agg(c.stored_at) AS stamps,
           count(*) AS read
    FROM (SELECT o.stored_at, o.size, o.op_id
          FROM op o
          WHERE o.space_id = $1::bigint AND o.stored_at >= $3::bigint
          ORDER BY o.stored_at
          LIMIT h.chunk) c) p
