-- The tables of the op store. docs/schema.md explains them column by column.
--
-- Every key starts with space_id: spaces share nothing, and a cluster can be sharded by it. There are no
-- triggers and no server-side code: what must change together changes in one statement (sql/statements).

-- One row for each space. The row is the space's sequencer: whoever stores ops locks it first and holds it to
-- the commit, so stored_at grows in commit order. fillfactor leaves room for its many new versions.
CREATE TABLE space (
    space_id       bigint   PRIMARY KEY,
    key            bytea    NOT NULL CHECK (octet_length(key) BETWEEN 1 AND 255),
    -- Drawn at creation. A writer that still holds a space which was dropped and made anew finds another value
    -- here, instead of storing ops by rules that are no longer the space's.
    incarnation    bigint   NOT NULL,
    format         text     NOT NULL,
    id_length      int      NOT NULL CHECK (id_length BETWEEN 1 AND 64),
    max_op_bytes   bigint   NOT NULL CHECK (max_op_bytes > 0),
    slice_factor   smallint NOT NULL,
    slice_us       bigint   NOT NULL CHECK (slice_us > 0),
    slice_mode     text     NOT NULL CHECK (slice_mode IN ('host', 'store')),
    max_future_us  bigint   CHECK (max_future_us >= 0),
    -- W, the watermark: the last stamp given out.
    last_stored_at bigint   NOT NULL DEFAULT 0,
    -- Slices [0, full_slices) have their hashes kept in slice_hash; always 0 in slice mode host.
    full_slices    bigint   NOT NULL DEFAULT 0
) WITH (fillfactor = 10, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000);

-- Beside the sequencer, because one statement may not update one row twice.
CREATE TABLE space_total (
    space_id bigint PRIMARY KEY,
    op_count bigint NOT NULL DEFAULT 0,
    op_bytes bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 10, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000);

CREATE TABLE op (
    space_id   bigint   NOT NULL,
    location   bigint   NOT NULL,  -- u32
    created_at bigint   NOT NULL,  -- us since the Unix epoch
    stored_at  bigint   NOT NULL,  -- us since the Unix epoch
    size       int      NOT NULL,  -- octet_length(payload)
    sector     smallint NOT NULL,  -- location >> 23
    op_id      bytea    NOT NULL,
    payload    bytea    NOT NULL,
    PRIMARY KEY (space_id, op_id)
);
-- Ops are signed or hashed bytes: compressing them is work for nothing.
ALTER TABLE op ALTER COLUMN payload SET STORAGE EXTERNAL;
-- Pages of the whole ring.
CREATE UNIQUE INDEX op_by_stored_at ON op (space_id, stored_at);
-- Pages of a part of it.
CREATE INDEX op_by_sector_stored_at ON op (space_id, sector, stored_at);
-- Time slices, earliest ops, hashes.
CREATE INDEX op_by_sector_created_at ON op (space_id, sector, created_at);

-- The hash of a time slice of an arc: kept by the store for the sector arcs (slice mode store), by the host
-- for any arc. op_count is null where the host's hash does not tell.
CREATE TABLE slice_hash (
    space_id    bigint NOT NULL,
    arc_start   bigint NOT NULL,
    arc_end     bigint NOT NULL,
    slice_index bigint NOT NULL,
    hash        bytea  NOT NULL CHECK (octet_length(hash) > 0),
    op_count    bigint,
    PRIMARY KEY (space_id, arc_start, arc_end, slice_index)
) WITH (fillfactor = 70);

-- The last batch of each writer, so that a commit whose answer was lost can be looked up afterwards.
CREATE TABLE ingest_mark (
    space_id        bigint      NOT NULL,
    writer          bigint      NOT NULL,
    batch           bigint      NOT NULL,
    first_stored_at bigint      NOT NULL,
    last_stored_at  bigint      NOT NULL,
    marked_at       timestamptz NOT NULL DEFAULT statement_timestamp(),
    PRIMARY KEY (space_id, writer)
) WITH (fillfactor = 10);
