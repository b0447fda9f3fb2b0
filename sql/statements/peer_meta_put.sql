-- Remembers things of peers, overwriting, and forgets what has expired.
-- Parameters: $1 space_id, $2 incarnation; $3 peer[], $4 key[], $5 value[], $6 whether it expires (0 or 1)[], $7
--   expires_at[] (parallel, no peer and key twice, ascending by them); $8 now.
-- Rows: one if stored, none if the space is gone.
-- Index: peer_meta_pkey, peer_meta_by_expiry.
-- Lock: the space's row, for key share: lets ingest go on, but not a drop of the space. Then the entries, in the order
--   of their keys, and only then what has expired, which waits for nobody: so writers cannot deadlock.
-- Isolation: read committed.
WITH here AS (
    SELECT space_id FROM space WHERE space_id = $1::bigint AND incarnation = $2::bigint FOR KEY SHARE
), stored AS (
    INSERT INTO peer_meta (space_id, peer, key, value, expires_at)
    SELECT $1::bigint, i.peer, i.key, i.value, CASE WHEN i.expires = 1 THEN i.expires_at END
    FROM here
    CROSS JOIN unnest($3::bytea[], $4::bytea[], $5::bytea[], $6::bigint[], $7::bigint[])
        AS i (peer, key, value, expires, expires_at)
    ON CONFLICT (space_id, peer, key) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at
    RETURNING 1
), expired AS (
    SELECT m.peer, m.key
    FROM peer_meta m CROSS JOIN here
    WHERE m.space_id = $1::bigint AND m.expires_at <= $8::bigint AND (SELECT count(*) FROM stored) >= 0
          -- One statement may not change a row twice.
          AND (m.peer, m.key) NOT IN (SELECT i.peer, i.key FROM unnest($3::bytea[], $4::bytea[]) AS i (peer, key))
    FOR UPDATE OF m SKIP LOCKED
), forgotten AS (
    DELETE FROM peer_meta m
    USING expired e
    WHERE m.space_id = $1::bigint AND m.peer = e.peer AND m.key = e.key
)
SELECT space_id FROM here
