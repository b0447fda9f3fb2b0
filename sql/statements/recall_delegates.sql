-- Asks delegates to stop: each listens to a channel of its own. A transaction of its own, since a notification goes out
-- with the commit. Parameters: $1 delegates. Rows: one each. Lock: none.
SELECT true FROM unnest($1::bigint[]) AS d, pg_notify('opstore_delegate_' || d, '')
