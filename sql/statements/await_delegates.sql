-- Waits until some delegates have stopped, or their sessions have ended. Parameters: $1 delegates. Rows: one each.
-- A transaction of its own: who holds the space's row while he waits holds up every other ingest.
SELECT pg_advisory_xact_lock_shared(d) FROM unnest($1::bigint[]) AS d
