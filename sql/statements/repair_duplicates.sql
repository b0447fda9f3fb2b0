-- Deletes what is stored twice: of each id, all but the op that came first. Run behind lock_space, before the other
-- repairs.
-- Parameters: $1 space_id.
WITH later AS MATERIALIZED (
    SELECT n.stored_at
    FROM (SELECT o.stored_at, row_number() OVER (PARTITION BY o.op_id ORDER BY o.stored_at) AS row
          FROM op o
          WHERE o.space_id = $1::bigint) n
    WHERE n.row > 1
)
DELETE FROM op
USING later
WHERE op.space_id = $1::bigint AND op.stored_at = later.stored_at
