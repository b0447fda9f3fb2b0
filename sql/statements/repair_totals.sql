-- Sets counters to what the ops say, the watermark to at least the last stamp, and the end of the fold to at most
-- the watermark. Run behind lock_space and lock_fold, before repair_slices.
-- Parameters: $1 space_id.
WITH counted AS (
    SELECT count(*) AS op_count, coalesce(sum(size), 0)::bigint AS op_bytes,
           coalesce(max(stored_at), 0) AS last_stored_at
    FROM op
    WHERE space_id = $1::bigint
), mended AS (
    UPDATE space_total t SET op_count = c.op_count, op_bytes = c.op_bytes
    FROM counted c
    WHERE t.space_id = $1::bigint
), unfolded AS (
    UPDATE fold f SET folded_to = greatest(s.last_stored_at, c.last_stored_at)
    FROM counted c, space s
    WHERE f.space_id = $1::bigint AND s.space_id = f.space_id
          AND f.folded_to > greatest(s.last_stored_at, c.last_stored_at)
)
UPDATE space s SET last_stored_at = greatest(s.last_stored_at, c.last_stored_at)
FROM counted c
WHERE s.space_id = $1::bigint
