-- Compares every kept slice hash with the ops folded into it.
-- Parameters: $1 space_id, $2 incarnation, $3 most rows.
-- Rows: first a total (null, null, compared, differing, ...), then the differences: sector, slice_index, kept hash
--   and count, computed hash and count (null where there is none).
-- Slices whose ops are all in the tail (see fold.sql) have no kept hash, and should have none.
-- Reads all ops below the boundary. Both sides come from one snapshot. Lock: none. Isolation: any.
WITH computed AS (
    SELECT o.sector::bigint AS sector, o.created_at / s.slice_us AS slice_index,
           substring(varbit_send(bit_xor(('x' || encode(o.op_id, 'hex'))::varbit)
                                 FILTER (WHERE o.stored_at <= f.folded_to)) FROM 5) AS hash,
           nullif(count(*) FILTER (WHERE o.stored_at <= f.folded_to), 0) AS op_count
    FROM space s JOIN fold f USING (space_id)
         JOIN op o ON o.space_id = s.space_id AND o.created_at < s.full_slices * s.slice_us
    WHERE s.space_id = $1::bigint AND s.incarnation = $2::bigint AND s.slice_mode = 'store'
    GROUP BY 1, 2
), kept AS (
    SELECT h.arc_start >> 23 AS sector, h.slice_index, h.hash, h.op_count
    FROM space s JOIN slice_hash h ON h.space_id = s.space_id
    WHERE s.space_id = $1::bigint AND s.incarnation = $2::bigint AND s.slice_mode = 'store'
          AND h.arc_start & 8388607 = 0 AND h.arc_end = h.arc_start + 8388607
), compared AS MATERIALIZED (
    SELECT sector, slice_index, k.hash AS kept_hash, k.op_count AS kept_count, c.hash, c.op_count,
           k.hash IS DISTINCT FROM c.hash OR k.op_count IS DISTINCT FROM c.op_count AS differs
    FROM computed c FULL JOIN kept k USING (sector, slice_index)
)
SELECT NULL::bigint AS sector, NULL::bigint AS slice_index, count(*) AS kept_count,
       count(*) FILTER (WHERE differs) AS op_count, NULL::bytea AS kept_hash, NULL::bytea AS hash
FROM compared
UNION ALL
(SELECT sector, slice_index, kept_count, op_count, kept_hash, hash
 FROM compared
 WHERE differs
 ORDER BY sector, slice_index
 LIMIT $3::bigint)
ORDER BY 1 NULLS FIRST, 2
