-- Keeps a host's slice hash, overwriting.
-- Parameters: $1 space_id, $2 incarnation, $3 arc_start, $4 arc_end, $5 slice_index, $6 hash.
-- Rows: one if stored, none if the space is gone.
-- Lock: the space's row, for key share: lets ingest go on, but not a drop of the space. Isolation: read committed.
INSERT INTO slice_hash (space_id, arc_start, arc_end, slice_index, hash)
SELECT s.space_id, $3::bigint, $4::bigint, $5::bigint, $6::bytea
FROM (SELECT space_id FROM space WHERE space_id = $1::bigint AND incarnation = $2::bigint FOR KEY SHARE) s
ON CONFLICT (space_id, arc_start, arc_end, slice_index) DO UPDATE SET hash = excluded.hash, op_count = NULL
RETURNING slice_index
