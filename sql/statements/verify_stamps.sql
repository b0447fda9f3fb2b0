-- Compares the stamps that are listed for each sector with its ops, as far as they are folded.
-- Parameters: $1 space_id.
-- Rows: (sector, listed, held) for each sector where they differ, by sector: how many stamps are listed, and how many
--   ops of the sector there are.
-- Reads all ops. Both sides come from one snapshot. Lock: none. Isolation: any.
WITH listed AS (
    SELECT l.sector, u.stored_at,
           row_number() OVER (PARTITION BY l.sector ORDER BY l.first_stored_at, u.ordinal) AS place,
           coalesce(u.ordinal > 1 OR u.stored_at = l.first_stored_at, false) AS begins_right
    FROM sector_stamps l
    LEFT JOIN LATERAL unnest(l.stamps) WITH ORDINALITY AS u (stored_at, ordinal) ON true
    WHERE l.space_id = $1::bigint
), held AS (
    SELECT o.sector, o.stored_at, row_number() OVER (PARTITION BY o.sector ORDER BY o.stored_at) AS place
    FROM fold f JOIN op o ON o.space_id = f.space_id AND o.stored_at <= f.folded_to
    WHERE f.space_id = $1::bigint
)
SELECT sector, count(l.stored_at) AS listed, count(h.place) AS held
FROM listed l FULL JOIN held h USING (sector, stored_at)
GROUP BY sector
HAVING NOT bool_and(coalesce(l.place = h.place AND l.begins_right, false))
ORDER BY sector
