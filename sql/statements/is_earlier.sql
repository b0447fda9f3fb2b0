-- Whether ops would be the first of their sectors. Run behind lock_space.
-- Parameters: $1 space_id; $2 sector[], $3 created_at[] of the earliest of them in each. Rows: one if so, else none.
-- Index: op_by_sector_created_at, one probe for each sector. The location is compared as in earliest.sql: of a damaged
--   op the two must say the same.
SELECT true
FROM unnest($2::bigint[], $3::bigint[]) AS i (sector, created_at)
WHERE (SELECT o.created_at
       FROM op o
       WHERE o.space_id = $1::bigint AND o.sector = i.sector::smallint AND o.location >> 23 = i.sector
       ORDER BY o.created_at
       LIMIT 1) <= i.created_at IS NOT TRUE
LIMIT 1
