-- What a gossip peer remembers of the other peers of a space between two runs: bookmarks, counters.

CREATE TABLE peer_meta (
    space_id   bigint NOT NULL,
    peer       bytea  NOT NULL CHECK (octet_length(peer) BETWEEN 1 AND 1024),  -- its address
    key        bytea  NOT NULL CHECK (octet_length(key) BETWEEN 1 AND 255),
    value      bytea  NOT NULL CHECK (octet_length(value) <= 65536),
    expires_at bigint,  -- us since the Unix epoch; from then on the row counts as absent. Null: it stays.
    PRIMARY KEY (space_id, peer, key)
) WITH (fillfactor = 70);
-- What has expired is removed by those who write.
CREATE INDEX peer_meta_by_expiry ON peer_meta (space_id, expires_at) WHERE expires_at IS NOT NULL;
