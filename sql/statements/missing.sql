-- Which of some ids are not held.
-- Parameters: $1 space_id, $2 incarnation, $3 op_id[].
-- Rows: none if the space is gone; else one: ordinals (positions in $3, from 0, ascending) of those not held.
-- Index: op_by_id, one probe for each id. LIMIT keeps it so: a planner that knows no statistics yet would make a join
--   of it that compares each id with each op. Lock: none. Isolation: any.
SELECT ARRAY(SELECT i.ordinal - 1
             FROM unnest($3::bytea[]) WITH ORDINALITY AS i (op_id, ordinal)
             WHERE (SELECT true
                    FROM op o
                    WHERE int8send(o.space_id) || o.op_id = int8send($1::bigint) || i.op_id
                    LIMIT 1) IS NULL
             ORDER BY i.ordinal) AS ordinals
FROM space s
WHERE s.space_id = $1::bigint AND s.incarnation = $2::bigint
