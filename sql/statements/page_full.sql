-- One chunk of a page of the whole ring, with the watermark.
-- Parameters: $1 space_id, $2 start (inclusive), $3 bytes that may still be added, $4 ids that may still be added.
-- Rows: none if the space is gone, else one: last_stored_at (W); taken: number of ops that fit; op_ids: their
--   ids, joined; bytes: sum of their sizes; cut_at, cut_size: of the first op that did not fit, or null;
--   last_read: stored_at of the last op read; exhausted: the chunk reached the end of the space.
-- Index: op_by_stored_at. The chunk is as many ops as fit by their average size, and some more: it reads what
--   it returns, and never the rest of the tail. W and ops come from one snapshot: no op can hide between.
-- Lock: none. Isolation: any.
WITH here AS (
    SELECT s.last_stored_at,
           least($4::bigint + 1, 32 + (least($3::bigint, 1::bigint << 40)::float8 * 1.06 * greatest(t.op_count, 1)
                                       / greatest(t.op_bytes, 1)))::bigint AS chunk
    FROM space s JOIN space_total t USING (space_id)
    WHERE s.space_id = $1::bigint
), tail AS MATERIALIZED (
    SELECT o.stored_at, o.size, o.op_id
    FROM op o
    WHERE o.space_id = $1::bigint AND o.stored_at >= $2::bigint
    ORDER BY o.stored_at
    LIMIT (SELECT chunk FROM here)
), running AS (
    SELECT stored_at, size, op_id, sum(size) OVER sofar <= $3::bigint AND row_number() OVER sofar <= $4::bigint AS fits
    FROM tail
    WINDOW sofar AS (ORDER BY stored_at ROWS UNBOUNDED PRECEDING)
)
SELECT h.last_stored_at, p.taken, p.op_ids, p.bytes, p.cut_at, c.size AS cut_size, p.last_read,
       p.read < h.chunk AS exhausted
FROM here h
CROSS JOIN (SELECT count(*) FILTER (WHERE fits) AS taken,
                   string_agg(op_id, ''::bytea ORDER BY stored_at) FILTER (WHERE fits) AS op_ids,
                   coalesce(sum(size) FILTER (WHERE fits), 0)::bigint AS bytes,
                   min(stored_at) FILTER (WHERE NOT fits) AS cut_at,
                   max(stored_at) AS last_read,
                   count(*) AS read
            FROM running) p
LEFT JOIN tail c ON c.stored_at = p.cut_at
