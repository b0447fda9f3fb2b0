-- Ids of the ops of an arc within one sector, created within a span of time: the first of them.
-- Parameters: $1 space_id, $2 incarnation, $3 start (inclusive), $4 end (exclusive) of created_at; $5 sector,
--   $6 first location, $7 last location; $8 most ops.
-- Rows: none if the space is gone; else one: op_ids, joined, by (created_at, op_id), null without any; bytes, the sum
--   of their sizes; how many they are. For more ops than $8 there is time_slice: it takes a third longer for a few.
-- Index: op_by_sector_created_at, one range. Lock: none. Isolation: any.
SELECT c.op_ids, c.bytes, c.read
FROM space s
CROSS JOIN LATERAL (
    SELECT string_agg(o.op_id, ''::bytea) AS op_ids, sum(o.size)::bigint AS bytes, count(*) AS read
    FROM (SELECT o.op_id, o.size
          FROM (SELECT o.op_id, o.size, o.created_at
                FROM op o
                WHERE o.space_id = $1::bigint AND o.sector = $5::bigint::smallint
                      AND o.created_at >= $3::bigint AND o.created_at < $4::bigint
                      AND o.location BETWEEN $6::bigint AND $7::bigint
                ORDER BY o.created_at
                OFFSET 0) o
          ORDER BY o.created_at, o.op_id
          LIMIT $8::bigint) o) c
WHERE s.space_id = $1::bigint AND s.incarnation = $2::bigint
