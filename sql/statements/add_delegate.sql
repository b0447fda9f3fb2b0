-- Lets a session answer for the earliest ops of a space until it is recalled. The times are read behind the commit: an
-- ingest that held the space's row is over then, and each one behind it sees the delegate. Run behind try_lock_space.
-- Parameters: $1 space_id, $2 the delegate: a number drawn at random, whose advisory lock the session holds.
-- Rows: none.
UPDATE space SET delegates = delegates || $2::bigint WHERE space_id = $1::bigint
