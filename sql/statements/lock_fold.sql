-- Keeps others from folding to the end of the transaction. Behind lock_space, never before it; who folds takes
-- this lock only.
-- Parameters: $1 space_id. Rows: one, unless the space is gone.
SELECT folded_to
FROM fold
WHERE space_id = $1::bigint
FOR UPDATE
