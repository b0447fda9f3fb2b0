-- Forgets one thing of a peer.
-- Parameters: $1 space_id, $2 incarnation, $3 peer, $4 key.
-- Rows: one, whether there was such a thing or not; none if the space is gone.
-- Index: peer_meta_pkey. Lock: the space's row, for key share, as peer_meta_put. Isolation: read committed.
WITH here AS (
    SELECT space_id FROM space WHERE space_id = $1::bigint AND incarnation = $2::bigint FOR KEY SHARE
), removed AS (
    DELETE FROM peer_meta m
    USING here
    WHERE m.space_id = $1::bigint AND m.peer = $3::bytea AND m.key = $4::bytea
)
SELECT space_id FROM here
