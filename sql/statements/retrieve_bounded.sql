-- Ops by id, with their bytes, from the first id on while they fit.
-- Parameters: $1 space_id, $2 incarnation, $3 op_id[], $4 most bytes of ops in the result, $5 most bytes of the first
--   one, which may be more.
-- Rows: none if the space is gone; else for each op found, in the order of the ids, up to the first that does not
--   fit: ordinal (position in $3, from 0), size, location, created_at, stored_at, payload; the last row is that first
--   one, with payload null. One row of nulls if none was found.
-- Index: op_by_id, one probe for each id; LIMIT keeps it so, see missing.sql. Large payloads are read after the cut
--   only. Lock: none. Isolation: any.
SELECT f.ordinal, f.size, f.location, f.created_at, f.stored_at, f.payload
FROM space s
LEFT JOIN LATERAL (
    SELECT n.ordinal, n.size, n.location, n.created_at, n.stored_at,
           CASE WHEN n.sofar <= $4::bigint OR (n.row = 1 AND n.size <= $5::bigint) THEN n.payload END AS payload
    FROM (SELECT i.ordinal - 1 AS ordinal, o.size, o.location, o.created_at, o.stored_at, o.payload,
                 sum(o.size) OVER upto AS sofar, row_number() OVER upto AS row
          FROM unnest($3::bytea[]) WITH ORDINALITY AS i (op_id, ordinal)
          CROSS JOIN LATERAL (SELECT *
                              FROM op o
                              WHERE int8send(o.space_id) || o.op_id = int8send($1::bigint) || i.op_id
                              LIMIT 1) o
          WINDOW upto AS (ORDER BY i.ordinal ROWS UNBOUNDED PRECEDING)) n
    -- Behind a first op that used up everything comes one that does not fit; else that is where the sum before
    -- it does, and it does not.
    WHERE n.row <= 2 OR n.sofar - n.size <= $4::bigint) f ON true
WHERE s.space_id = $1::bigint AND s.incarnation = $2::bigint
ORDER BY f.ordinal
