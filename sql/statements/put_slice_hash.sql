-- Keeps a host's slice hash, overwriting.
-- Parameters: $1 space_id, $2 arc_start, $3 arc_end, $4 slice_index, $5 hash.
-- Rows: one if stored, none if the space is gone.
-- Lock: the space's row, for key share: lets ingest go on, but not a drop of the space. Isolation: read committed.
INSERT INTO slice_hash (space_id, arc_start, arc_end, slice_index, hash)
SELECT s.space_id, $2::bigint, $3::bigint, $4::bigint, $5::bytea
FROM (SELECT space_id FROM space WHERE space_id = $1::bigint FOR KEY SHARE) s
ON CONFLICT (space_id, arc_start, arc_end, slice_index) DO UPDATE SET hash = excluded.hash, op_count = NULL
RETURNING slice_index
