-- One chunk of a page of a part of the ring, with the watermark.
-- Parameters: $1 space_id, $2 incarnation, $3 start (inclusive), $4 bytes that may still be added, $5 ids that may
--   still be added; $6 sector[], $7 first location[], $8 last location[]: the arc, cut at sector borders; at least one.
-- Rows: as page_full; its head is always null, everything is in the rest.
-- Index: op_by_sector_stored_at, one probe for each piece. Each piece gives its first `share` ops; where a piece
--   was cut there may be more behind its last op, so the smallest such last op is the horizon, and ops beyond it
--   wait for the next chunk. However the ops are spread, a chunk reads at most share * pieces ops and gives at
--   least share of them.
-- Lock: none. Isolation: any.
WITH here AS (
    SELECT s.last_stored_at, (8 + 4 * sqrt(wanted) + 1.1 * wanted)::bigint AS share
    FROM space s JOIN space_total t USING (space_id),
         LATERAL (SELECT least($5::bigint + 1,
                               32 + (least($4::bigint, 1::bigint << 40)::float8 * greatest(t.op_count, 1)
                                     / greatest(t.op_bytes, 1)))
                         / cardinality($6::bigint[]) AS wanted) w
    WHERE s.space_id = $1::bigint AND s.incarnation = $2::bigint
), reach AS MATERIALIZED (
    SELECT p.piece, o.stored_at, o.size, o.op_id
    FROM here h
    CROSS JOIN unnest($6::bigint[], $7::bigint[], $8::bigint[]) WITH ORDINALITY AS p (sector, first, last, piece)
    CROSS JOIN LATERAL (
        SELECT o.stored_at, o.size, o.op_id
        FROM op o
        WHERE o.space_id = $1::bigint AND o.sector = p.sector::smallint AND o.stored_at >= $3::bigint
              AND o.location BETWEEN p.first AND p.last
        ORDER BY o.stored_at
        LIMIT h.share) o
), horizon AS (
    SELECT min(cut.last) AS stored_at
    FROM (SELECT max(r.stored_at) AS last FROM reach r, here h GROUP BY r.piece, h.share
          HAVING count(*) >= h.share) cut
)
SELECT h.last_stored_at, p.op_ids, p.sizes, p.stamps, z.stored_at IS NULL AS exhausted,
       NULL::bytea, 0, 0
FROM here h
CROSS JOIN horizon z
CROSS JOIN LATERAL (
    SELECT string_agg(c.op_id, ''::bytea) AS op_ids, array_agg(c.size) AS sizes, array_agg(c.stored_at) AS stamps
    FROM (SELECT r.stored_at, r.size, r.op_id
          FROM reach r
          WHERE z.stored_at IS NULL OR r.stored_at <= z.stored_at
          ORDER BY r.stored_at) c) p
