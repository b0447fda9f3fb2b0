-- Those of some delegates whose sessions still hold their locks. Run behind lock_space: of the others the locks are
-- taken to the end of the transaction, which nobody minds. Parameters: $1 delegates. Rows: one (delegate) each.
SELECT d
FROM unnest($1::bigint[]) AS d
WHERE NOT pg_try_advisory_xact_lock_shared(d)
