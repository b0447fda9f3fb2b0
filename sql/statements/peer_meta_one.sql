-- One thing that is remembered of a peer.
-- Parameters: $1 space_id, $2 incarnation, $3 peer, $4 key, $5 now: what has expired by then is absent.
-- Rows: none if the space is gone; else one (value, expires_at), or two nulls.
-- Index: peer_meta_pkey. Lock: none. Isolation: any.
SELECT m.value, m.expires_at
FROM space s
LEFT JOIN peer_meta m ON m.space_id = $1::bigint AND m.peer = $3::bytea AND m.key = $4::bytea
                         AND (m.expires_at IS NULL OR m.expires_at > $5::bigint)
WHERE s.space_id = $1::bigint AND s.incarnation = $2::bigint
