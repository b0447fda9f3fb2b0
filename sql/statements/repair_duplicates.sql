-- Deletes what is stored twice: of each id, all but the op that came first. Run behind lock_space, before the other
-- repairs.
-- Parameters: $1 space_id.
-- Index: op_by_stored_at, one probe for each op that goes. ANY of an array keeps it so; a join compared all with
--   all where statistics were old.
DELETE FROM op
WHERE space_id = $1::bigint
      AND stored_at = ANY (ARRAY(SELECT n.stored_at
                                 FROM (SELECT o.stored_at,
                                              row_number() OVER (PARTITION BY o.op_id ORDER BY o.stored_at) AS row
                                       FROM op o
                                       WHERE o.space_id = $1::bigint) n
                                 WHERE n.row > 1))
