-- One chunk of a page of the whole ring, with the watermark.
-- Parameters: $1 space_id, $2 incarnation, $3 start (inclusive), $4 bytes that may still be added, $5 ids that may
--   still be added.
-- Rows: none if the space is gone, else one: last_stored_at (W); op_ids, joined, sizes[] and stored_at[] of the
--   rest of the chunk, by stored_at, null if it is empty; exhausted: the chunk reached the end of the space; and what
--   lies before that rest: its op_ids, joined, by stored_at, how many they are, and the sum of their sizes. The
--   client cuts the page out of the rest. Sizes and stamps cost more than the ids do, and are of use only near the
--   cut: so the head goes without. It is seven eighths of what should fit. If it does not fit, since its ops are
--   larger than those of the space are on average, it is null and the rest is the whole chunk. The rest comes as
--   arrays, which cost half of what a row for each op does; and a running sum here costs more.
-- Index: op_by_stored_at. The chunk is as many ops as fit by their average size, and some more: it reads what
--   it returns, a head that does not fit twice, and never the rest of the tail. W and ops come from one snapshot: no
--   op can hide between.
-- Lock: none. Isolation: any.
SELECT h.last_stored_at, p.op_ids, p.sizes, p.stamps, p.read < w.chunk AS exhausted,
       CASE WHEN head.fits THEN head.op_ids END, head.read, head.bytes
FROM (SELECT s.last_stored_at, least($5::bigint + 1, 32 + e.fitting * 1.03)::bigint AS chunk,
             -- A head of a few ops spares less than it may cost.
             CASE WHEN e.fitting < 256 THEN 0 ELSE least($5::bigint, e.fitting) * 0.875 END::bigint AS head
      FROM space s JOIN space_total t USING (space_id),
           LATERAL (SELECT least($4::bigint, 1::bigint << 40)::float8 * greatest(t.op_count, 1)
                           / greatest(t.op_bytes, 1) AS fitting) e
      WHERE s.space_id = $1::bigint AND s.incarnation = $2::bigint) h
CROSS JOIN LATERAL (
    SELECT string_agg(c.op_id, ''::bytea) AS op_ids, count(*) AS read, sum(c.size) AS bytes,
           max(c.stored_at) AS last_stored_at, sum(c.size) <= $4::bigint AS fits
    FROM (SELECT o.stored_at, o.size, o.op_id
          FROM op o
          WHERE o.space_id = $1::bigint AND o.stored_at >= $3::bigint
          ORDER BY o.stored_at
          LIMIT h.head) c) head
CROSS JOIN LATERAL (SELECT h.chunk - CASE WHEN head.fits THEN head.read ELSE 0 END AS chunk) w
CROSS JOIN LATERAL (
    SELECT string_agg(c.op_id, ''::bytea) AS op_ids, array_agg(c.size) AS sizes, array_agg(c.stored_at) AS stamps,
           count(*) AS read
    FROM (SELECT o.stored_at, o.size, o.op_id
          FROM op o
          WHERE o.space_id = $1::bigint AND o.stored_at >= $3::bigint
                AND o.stored_at > CASE WHEN head.fits THEN head.last_stored_at ELSE -1 END
          ORDER BY o.stored_at
          LIMIT w.chunk) c) p
