-- Replaces the lists of each sector by those of its ops, as far as they are folded. Run behind lock_space and
-- lock_fold, when sectors, sizes and the end of the fold are right.
-- Parameters: $1 space_id. The rows removed and the rows written are never the same.
-- NOT IN is hashed whatever the statistics say; NOT EXISTS compared all with all where they were old.
WITH computed AS MATERIALIZED (
    SELECT n.sector, min(n.stored_at) AS first_stored_at, array_agg(n.stored_at ORDER BY n.stored_at) AS stamps,
           array_agg(n.size ORDER BY n.stored_at) AS sizes,
           array_agg((n.location & 8388607)::int ORDER BY n.stored_at) AS offsets,
           string_agg(n.op_id, ''::bytea ORDER BY n.stored_at) AS op_ids
    FROM (SELECT o.sector, o.stored_at, o.size, o.location, o.op_id,
                 (row_number() OVER (PARTITION BY o.sector ORDER BY o.stored_at) - 1) / 32 AS list
          FROM fold f JOIN op o ON o.space_id = f.space_id AND o.stored_at <= f.folded_to
          WHERE f.space_id = $1::bigint) n
    GROUP BY n.sector, n.list
), removed AS (
    DELETE FROM sector_list l
    WHERE l.space_id = $1::bigint
          AND (l.sector, l.first_stored_at) NOT IN (SELECT c.sector, c.first_stored_at FROM computed c)
)
INSERT INTO sector_list AS list (space_id, sector, first_stored_at, stamps, sizes, offsets, op_ids)
SELECT $1::bigint, sector, first_stored_at, stamps, sizes, offsets, op_ids
FROM computed
ON CONFLICT (space_id, sector, first_stored_at) DO UPDATE
SET stamps = excluded.stamps, sizes = excluded.sizes, offsets = excluded.offsets, op_ids = excluded.op_ids
WHERE (list.stamps, list.sizes, list.offsets, list.op_ids)
      IS DISTINCT FROM (excluded.stamps, excluded.sizes, excluded.offsets, excluded.op_ids)
