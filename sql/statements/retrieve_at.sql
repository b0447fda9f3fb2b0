-- Ops by the places of their rows, with their ids and bytes, as many as a result should hold.
-- Parameters: $1 space_id, $2 incarnation, $3 tid[], $4 most bytes of ops in the result (the first one is always in
--   it).
-- Rows: none if the space is gone; else in no order: op_id, place, location, created_at, stored_at, payload of each op
--   of the space that is at one of the places. One row of nulls if there is none. If the payloads reach $4, some may
--   have been left out.
-- Who asks compares the ids: a row may have moved, and another one be where it was.
-- Index: none. All places in one scan: one for each, as a join would have it, takes twice as long. The space is
--   compared behind it, or an empty table would be read by an index. Large payloads are read after the cut only.
--   Lock: none. Isolation: any.
SELECT f.op_id, f.place, f.location, f.created_at, f.stored_at, f.payload
FROM space s
LEFT JOIN LATERAL (
    SELECT n.*
    FROM (SELECT o.space_id, o.op_id, o.ctid AS place, o.location, o.created_at, o.stored_at, o.payload,
                 sum(o.size) FILTER (WHERE o.space_id = $1::bigint) OVER (ROWS UNBOUNDED PRECEDING) - o.size AS before
          FROM op o
          WHERE o.ctid = ANY ($3::tid[])) n
    WHERE n.space_id = $1::bigint AND n.before < $4::bigint) f ON true
WHERE s.space_id = $1::bigint AND s.incarnation = $2::bigint
