-- Parameters: $1 space_id, $2 delegates: those that are left. Rows: none. Run behind lock_space.
UPDATE space SET delegates = $2::bigint[] WHERE space_id = $1::bigint
