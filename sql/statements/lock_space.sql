-- Locks a space's sequencer to the end of the transaction. Whoever must see all that is stored locks first and
-- reads in a later statement: a statement's snapshot is older than the lock it waited for.
-- Who only needs the space to stay (FOR KEY SHARE) does not wait for it.
-- Parameters: $1 space_id, $2 incarnation.
-- Rows: none if the space is gone; else one: delegates, full_slices, slice_us, and the server's clock in us.
SELECT delegates, full_slices, slice_us, (extract(epoch FROM statement_timestamp()) * 1000000)::bigint AS server_clock
FROM space
WHERE space_id = $1::bigint AND incarnation = $2::bigint
FOR NO KEY UPDATE
