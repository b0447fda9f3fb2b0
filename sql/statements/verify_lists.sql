-- Compares the lists of each sector with its ops, as far as they are folded.
-- Parameters: $1 space_id.
-- Rows: (sector, listed, held) for each sector where they differ, by sector: how many ops are listed, and how many of
--   the sector there are.
-- Reads all ops. Both sides come from one snapshot. Lock: none. Isolation: any.
WITH listed AS (
    SELECT l.sector, u.stored_at, u.size, u.at,
           substring(l.op_ids FROM (u.ordinal - 1)::int * s.id_length + 1 FOR s.id_length) AS op_id,
           row_number() OVER (PARTITION BY l.sector ORDER BY l.first_stored_at, u.ordinal) AS place,
           (u.ordinal > 1 OR u.stored_at = l.first_stored_at)
               AND octet_length(l.op_ids) = cardinality(l.stamps) * s.id_length AS begins_and_ends_right
    FROM space s
    JOIN sector_list l USING (space_id)
    LEFT JOIN LATERAL unnest(l.stamps, l.sizes, l.offsets) WITH ORDINALITY AS u (stored_at, size, at, ordinal) ON true
    WHERE s.space_id = $1::bigint
), held AS (
    SELECT o.sector, o.stored_at, o.size, (o.location & 8388607)::int AS at, o.op_id,
           row_number() OVER (PARTITION BY o.sector ORDER BY o.stored_at) AS place
    FROM fold f JOIN op o ON o.space_id = f.space_id AND o.stored_at <= f.folded_to
    WHERE f.space_id = $1::bigint
)
SELECT sector, count(l.stored_at) AS listed, count(h.place) AS held
FROM listed l FULL JOIN held h USING (sector, stored_at)
GROUP BY sector
HAVING NOT bool_and(coalesce(l.begins_and_ends_right
                             AND (l.place, l.size, l.at, l.op_id) = (h.place, h.size, h.at, h.op_id), false))
ORDER BY sector
