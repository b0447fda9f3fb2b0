-- Stores what is new of a batch: the whole of an ingest in one statement.
-- Parameters: $1 space_id, $2 incarnation, $3 op_id[], $4 location[], $5 created_at[], $6 payload[] (parallel,
--   no id twice), $7 their number, $8 clock in us
--   (array of none or one: else the server's), $9 writer, $10 batch, $11 a delegate of the space by whose times the
--   batch has no op that is the first of its sector; 0: nobody says so.
-- Rows: one (first_stored_at, fresh_ordinals): op i of the batch, from 0, has the stamp first_stored_at + i if it
--   is fresh; fresh_ordinals is null when all are. No row, and nothing stored: the space is gone, somebody else
--   stored ops while the statement waited for the lock, or delegates have to be asked first. Behind
--   lock_against_delegates() none of them can be.
-- Lock: the space's row, taken first (all else depends on `reserved`) and held to the commit: so stamps grow in
--   commit order.
-- No op twice: `fresh` looks into the statement's snapshot, which is older than the lock. Every ingest moves
--   last_stored_at; so if the row that was locked still has the one of the snapshot, nobody stored ops between
--   the two, and the snapshot shows all there are. If it has another, `reserved` is empty, and so is all else: an
--   UPDATE that waited compares the newest row with what it joined before (`seen`).
-- Index: op_by_id, one probe for each id. LIMIT keeps it so, see missing.sql.
-- Isolation: read committed. No volatile function here: a distributed UPDATE does not take one.
WITH reserved AS (
    UPDATE space s
    SET last_stored_at = greatest(
            coalesce(($8::bigint[])[1], (extract(epoch FROM statement_timestamp()) * 1000000)::bigint),
            s.last_stored_at + 1) + $7::bigint - 1
    FROM space seen
    WHERE s.space_id = $1::bigint AND s.incarnation = $2::bigint
          AND seen.space_id = s.space_id AND seen.last_stored_at = s.last_stored_at
          AND (s.delegates = '{}' OR $11::bigint = ANY (s.delegates))
    RETURNING s.last_stored_at - $7::bigint + 1 AS first_stored_at
), fresh AS (
    INSERT INTO op (space_id, location, created_at, stored_at, size, sector, op_id, payload)
    SELECT $1::bigint, i.location, i.created_at, r.first_stored_at + i.ordinal - 1, octet_length(i.payload),
           (i.location >> 23)::smallint, i.op_id, i.payload
    FROM reserved r,
         unnest($3::bytea[], $4::bigint[], $5::bigint[], $6::bytea[])
             WITH ORDINALITY AS i (op_id, location, created_at, payload, ordinal)
    WHERE (SELECT true
           FROM op o
           WHERE int8send(o.space_id) || o.op_id = int8send($1::bigint) || i.op_id
           LIMIT 1) IS NULL
    RETURNING stored_at, size
), total AS (
    SELECT count(*) AS op_count, coalesce(sum(size), 0)::bigint AS op_bytes FROM fresh
), counted AS (
    UPDATE space_total t
    SET op_count = t.op_count + n.op_count, op_bytes = t.op_bytes + n.op_bytes
    FROM total n
    WHERE t.space_id = $1::bigint
), marked AS (
    INSERT INTO ingest_mark AS mark (space_id, writer, batch, first_stored_at, last_stored_at)
    SELECT $1::bigint, $9::bigint, $10::bigint, r.first_stored_at, r.first_stored_at + $7::bigint - 1
    FROM reserved r
    -- A batch of several statements widens its mark; a statement that waited in the server since before a
    -- newer attempt leaves the newer mark alone.
    ON CONFLICT (space_id, writer) DO UPDATE
    SET first_stored_at = CASE WHEN mark.batch = excluded.batch THEN mark.first_stored_at
                               ELSE excluded.first_stored_at END,
        last_stored_at = excluded.last_stored_at,
        batch = excluded.batch,
        marked_at = excluded.marked_at
    WHERE mark.batch <= excluded.batch
)
SELECT r.first_stored_at,
       CASE WHEN n.op_count < $7::bigint
            THEN ARRAY(SELECT f.stored_at - r.first_stored_at FROM fresh f) END AS fresh_ordinals
FROM reserved r, total n
