-- The next ids of the whole ring, for a process that remembers which are held.
-- Parameters: $1 space_id, $2 incarnation, $3 the stamp of the last op that is remembered, $4 most ids.
-- Rows: none if the space is gone, else one: remembered_id, that of the first op from $3 on, null if there is none;
--   op_count; op_ids, joined, those with the lowest stamps above $3, null if there are none; places, joined, where
--   their rows are (block and offset, 6 bytes); their number; the last one's stamp and id.
-- Index: op_by_stored_at; reads what it returns. A stamp is looked up by ORDER BY and LIMIT: with `=` a planner without
--   statistics took another index. All is from one snapshot: no op can hide between.
-- Lock: none. Isolation: any.
SELECT (SELECT o.op_id
        FROM op o
        WHERE o.space_id = $1::bigint AND o.stored_at >= $3::bigint
        ORDER BY o.stored_at
        LIMIT 1) AS remembered_id,
       t.op_count, p.op_ids, p.places, p.number, p.last_stamp,
       (SELECT o.op_id
        FROM op o
        WHERE o.space_id = $1::bigint AND o.stored_at >= p.last_stamp
        ORDER BY o.stored_at
        LIMIT 1) AS last_id
FROM space s
JOIN space_total t USING (space_id)
CROSS JOIN LATERAL (
    SELECT string_agg(c.op_id, ''::bytea) AS op_ids, string_agg(tidsend(c.place), ''::bytea) AS places,
           count(*) AS number, max(c.stored_at) AS last_stamp
    FROM (SELECT o.op_id, o.ctid AS place, o.stored_at
          FROM op o
          WHERE o.space_id = $1::bigint AND o.stored_at > $3::bigint
          ORDER BY o.stored_at
          LIMIT $4::bigint) c) p
WHERE s.space_id = $1::bigint AND s.incarnation = $2::bigint
