-- All that is remembered of the peers of a space.
-- Parameters: $1 space_id, $2 incarnation, $3 now: what has expired by then is left out.
-- Rows: none if the space is gone; else (peer, key, value, expires_at), by peer and key; one row of nulls without any.
-- Index: peer_meta_pkey. Lock: none. Isolation: any.
SELECT m.peer, m.key, m.value, m.expires_at
FROM space s
LEFT JOIN LATERAL (
    SELECT p.peer, p.key, p.value, p.expires_at
    FROM peer_meta p
    WHERE p.space_id = $1::bigint AND (p.expires_at IS NULL OR p.expires_at > $3::bigint)
    OFFSET 0) m ON true
WHERE s.space_id = $1::bigint AND s.incarnation = $2::bigint
ORDER BY m.peer, m.key
