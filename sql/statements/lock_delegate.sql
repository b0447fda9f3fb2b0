-- Keeps an advisory lock to the end of the session, or until unlock_delegate. Parameters: $1 delegate, drawn at random:
-- nobody has it yet. Rows: one.
SELECT true FROM pg_advisory_lock($1::bigint)
