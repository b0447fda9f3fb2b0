-- Names the delegates of a space that are left, or none. Run behind lock_space.
-- Parameters: $1 space_id, $2 delegates. Rows: none.
UPDATE space SET delegates = $2::bigint[] WHERE space_id = $1::bigint
