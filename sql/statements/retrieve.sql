-- Ops by id, with their bytes, as many as a result should hold.
-- Parameters: $1 space_id, $2 incarnation, $3 op_id[], $4 most bytes of ops in the result (the first one is
--   always in it).
-- Rows: none if the space is gone; else for each op found, in the order of the ids: ordinal (position in $3,
--   from 0), location, created_at, stored_at, payload, place of the row. One row of nulls if none was found. If the
--   payloads reach $4, ops behind the last ordinal may have been left out: to say so here would mean to read them
--   first.
-- Index: op_by_id, one probe for each id; LIMIT keeps it so, see missing.sql. Large payloads are read after the cut
--   only. Lock: none. Isolation: any.
SELECT f.ordinal, f.location, f.created_at, f.stored_at, f.payload, f.place
FROM space s
LEFT JOIN LATERAL (
    SELECT n.*
    FROM (SELECT i.ordinal - 1 AS ordinal, o.location, o.created_at, o.stored_at, o.payload, o.place,
                 sum(o.size) OVER sofar - o.size AS before
          FROM unnest($3::bytea[]) WITH ORDINALITY AS i (op_id, ordinal)
          CROSS JOIN LATERAL (SELECT o.*, o.ctid AS place
                              FROM op o
                              WHERE int8send(o.space_id) || o.op_id = int8send($1::bigint) || i.op_id
                              LIMIT 1) o
          WINDOW sofar AS (ORDER BY i.ordinal ROWS UNBOUNDED PRECEDING)) n
    WHERE n.before < $4::bigint) f ON true
WHERE s.space_id = $1::bigint AND s.incarnation = $2::bigint
ORDER BY f.ordinal
