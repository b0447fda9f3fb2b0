-- One chunk of a page of a part of the ring, as far as it is folded, with the watermark.
-- Parameters: $1 space_id, $2 incarnation, $3 start (inclusive), $4 bytes that may still be added, $5 ids that may
--   still be added; $6 sector[], $7 first location[], $8 last location[]: the arc, cut at sector borders; at least one;
--   $9 how many times as far as usual it should reach.
-- Rows: none if the space is gone, else one: last_stored_at (W); op_ids, joined, sizes[] and stored_at[] of the
--   chunk, by stored_at, null if it is empty; covered_to: it has all ops of the arc from $3 up to this stamp;
--   folded_to: what is behind it, page_tail has. Covered is at most what is folded; less than $3 if that is more.
-- Index: sector_list_pkey, one probe for each piece; op is not read. Each piece gives its first `share` ops; where a
--   piece was cut there may be more behind its last one, so the smallest such last stamp is the horizon, and ops beyond
--   it wait for the next chunk. However the ops are spread, a chunk reads at most share + 64 ops of each piece, in
--   lists, and gives at least share ops; but where pieces are parts of sectors it may give none. The next one should
--   reach farther then ($9).
-- Lock: none. Isolation: any.
WITH here AS (
    SELECT s.last_stored_at, s.id_length, f.folded_to, e.share, e.share / 32 + 2 AS lists
    FROM space s JOIN space_total t USING (space_id) JOIN fold f USING (space_id),
         LATERAL (SELECT least($5::bigint + 1,
                               32 + (least($4::bigint, 1::bigint << 40)::float8 * greatest(t.op_count, 1)
                                     / greatest(t.op_bytes, 1)))
                         / cardinality($6::bigint[]) AS wanted) w,
         LATERAL (SELECT ((8 + 4 * sqrt(w.wanted) + 1.1 * w.wanted) * $9::bigint)::bigint AS share) e
    WHERE s.space_id = $1::bigint AND s.incarnation = $2::bigint
), reach AS MATERIALIZED (
    SELECT p.piece, u.stored_at, u.size, u.op_id, u.list, (p.sector << 23) + u.at BETWEEN p.first AND p.last AS inside
    FROM here h
    CROSS JOIN unnest($6::bigint[], $7::bigint[], $8::bigint[]) WITH ORDINALITY AS p (sector, first, last, piece)
    CROSS JOIN LATERAL (
        SELECT u.stored_at, u.size, u.at, l.list,
               substring(l.op_ids FROM (u.ordinal - 1)::int * h.id_length + 1 FOR h.id_length) AS op_id
        FROM (SELECT l.stamps, l.sizes, l.offsets, l.op_ids, row_number() OVER (ORDER BY l.first_stored_at) AS list
              FROM sector_list l
              WHERE l.space_id = $1::bigint AND l.sector = p.sector::smallint
                    AND l.first_stored_at >= coalesce((SELECT b.first_stored_at
                                                       FROM sector_list b
                                                       WHERE b.space_id = $1::bigint AND b.sector = p.sector::smallint
                                                             AND b.first_stored_at <= $3::bigint
                                                       ORDER BY b.first_stored_at DESC
                                                       LIMIT 1), $3::bigint)
              ORDER BY l.first_stored_at
              LIMIT h.lists) l
        CROSS JOIN LATERAL unnest(l.stamps, l.sizes, l.offsets) WITH ORDINALITY AS u (stored_at, size, at, ordinal)
        WHERE u.stored_at >= $3::bigint
        ORDER BY u.stored_at
        LIMIT h.share) u
    WHERE $3::bigint <= h.folded_to
), horizon AS MATERIALIZED (
    SELECT least(h.folded_to, (SELECT min(cut.last)
                               FROM (SELECT max(r.stored_at) AS last
                                     FROM reach r
                                     GROUP BY r.piece
                                     HAVING count(*) >= h.share OR max(r.list) >= h.lists) cut)) AS stored_at
    FROM here h
)
SELECT h.last_stored_at, p.op_ids, p.sizes, p.stamps, z.stored_at AS covered_to, h.folded_to
FROM here h
CROSS JOIN horizon z
CROSS JOIN LATERAL (
    SELECT string_agg(c.op_id, ''::bytea) AS op_ids, array_agg(c.size) AS sizes, array_agg(c.stored_at) AS stamps
    FROM (SELECT r.stored_at, r.size, r.op_id
          FROM reach r
          WHERE r.inside AND r.stored_at <= z.stored_at
          ORDER BY r.stored_at) c) p
