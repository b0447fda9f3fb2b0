-- Cheaper ingest: what a page of a part of the ring walks is written behind the commit too, as lists.
-- docs/design.md says what that gained. It reads every op once, a few seconds for a million,
-- and nobody reads or stores ops meanwhile.
LOCK TABLE op;

-- How far the folds are, of slice hashes and now also of lists; so now in slice mode host too, where nothing was to
-- be folded.
ALTER TABLE slice_fold RENAME TO fold;
ALTER TABLE fold RENAME CONSTRAINT slice_fold_pkey TO fold_pkey;
UPDATE fold f
SET folded_to = s.last_stored_at
FROM space s
WHERE s.space_id = f.space_id AND f.folded_to = 9223372036854775807;

-- The ops of each sector up to the end of the fold, in the order of their stamps: all that a page wants of them, so
-- that it need not look for each op. Each op of a batch had a place of its own in an index by sector and stamp, where
-- one row here takes what a fold brings for a sector. A list covers the stamps from its first one up to the next
-- list's; the last one grows to 32. Short lists: a page of many sectors wants a few ops of each.
CREATE TABLE sector_list (
    space_id        bigint   NOT NULL,
    sector          smallint NOT NULL,
    first_stored_at bigint   NOT NULL,
    stamps          bigint[] NOT NULL,  -- ascending; the others are parallel to it
    sizes           int[]    NOT NULL,
    offsets         int[]    NOT NULL,  -- location - (sector << 23)
    op_ids          bytea    NOT NULL,  -- joined
    PRIMARY KEY (space_id, sector, first_stored_at)
) WITH (fillfactor = 60);
INSERT INTO sector_list (space_id, sector, first_stored_at, stamps, sizes, offsets, op_ids)
SELECT n.space_id, n.sector, min(n.stored_at), array_agg(n.stored_at ORDER BY n.stored_at),
       array_agg(n.size ORDER BY n.stored_at), array_agg((n.location & 8388607)::int ORDER BY n.stored_at),
       string_agg(n.op_id, ''::bytea ORDER BY n.stored_at)
FROM (SELECT o.space_id, o.sector, o.stored_at, o.size, o.location, o.op_id,
             (row_number() OVER (PARTITION BY o.space_id, o.sector ORDER BY o.stored_at) - 1) / 32 AS list
      FROM fold f JOIN op o ON o.space_id = f.space_id AND o.stored_at <= f.folded_to) n
GROUP BY n.space_id, n.sector, n.list;
DROP INDEX op_by_sector_stored_at;
