-- Parameters: $1 delegate. Rows: one, false if the session did not hold the lock.
SELECT pg_advisory_unlock($1::bigint)
