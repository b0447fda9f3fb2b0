-- Cheaper ingest: ops found by a hash of their id, and slice hashes folded behind the commit.
-- docs/design.md says what that gained.

-- An op's place in a b-tree by id is a page that no other op of its batch shares; a hash index has it in one step.
-- It cannot be unique. That no id is stored twice, the ingest statement sees to: under the lock of the space's row,
-- with a snapshot that has seen all ingests before it.
-- The key holds the space too, so that the spaces of a server which hold the same ops do not find each other's.
ALTER TABLE op DROP CONSTRAINT op_pkey;
ALTER TABLE op ADD CONSTRAINT op_by_stored_at PRIMARY KEY USING INDEX op_by_stored_at;
CREATE INDEX op_by_id ON op USING hash ((int8send(space_id) || op_id));

-- How far slice_hash is: it holds the ops of full slices up to this stamp. Those behind it, the tail, are read from
-- op by whoever reads hashes. A row of its own, so that folding and storing ops do not wait for each other.
CREATE TABLE slice_fold (
    space_id  bigint PRIMARY KEY,
    -- The greatest bigint in slice mode host, where the store keeps no hashes: then nothing is behind it.
    folded_to bigint NOT NULL
) WITH (fillfactor = 10, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000);
INSERT INTO slice_fold (space_id, folded_to)
SELECT space_id, CASE WHEN slice_mode = 'store' THEN last_stored_at ELSE 9223372036854775807 END
FROM space;

CREATE OR REPLACE VIEW slice_hash_readable AS
SELECT encode(s.key, 'escape') AS space, p.arc_start, p.arc_end, p.slice_index,
       to_timestamp(least(p.slice_index * (s.slice_us / 1e6), 9e12)) AS slice_start,
       translate(rtrim(encode(substring(varbit_send(bit_xor(('x' || encode(p.hash, 'hex'))::varbit)) FROM 5),
                              'base64'), '='), E'+/\n', '-_') AS hash,
       sum(p.op_count)::bigint AS op_count
FROM space s
JOIN (SELECT h.space_id, h.arc_start, h.arc_end, h.slice_index, h.hash, h.op_count
      FROM slice_hash h
      UNION ALL
      SELECT o.space_id, o.sector::bigint << 23, ((o.sector::bigint + 1) << 23) - 1, o.created_at / t.slice_us,
             o.op_id, 1
      FROM space t
      JOIN slice_fold f USING (space_id)
      JOIN op o ON o.space_id = t.space_id AND o.stored_at > f.folded_to
                   AND o.created_at / t.slice_us < t.full_slices) p USING (space_id)
GROUP BY s.key, s.slice_us, p.arc_start, p.arc_end, p.slice_index;

-- A planner without statistics takes any index that starts with space_id for as good as the one that is meant, and
-- sessions keep their plans. So it gets some before there are ops: of rows that look like ops of one space, and go.
-- Autovacuum replaces them in time.
INSERT INTO op (space_id, location, created_at, stored_at, size, sector, op_id, payload)
SELECT -1, (i % 512) << 23, i * 48271 % 2147483647, i, 1, i % 512, sha256(int8send(i)), '\x00'
FROM generate_series(1::bigint, 4096) AS i
WHERE NOT EXISTS (SELECT FROM op);
ANALYZE op;
DELETE FROM op WHERE space_id = -1;
