-- Compares a space's counters, watermark, fold and derived columns with its ops.
-- Parameters: $1 space_id, $2 incarnation. Rows: none if the space is gone; else one. Reads all ops. Lock: none.
SELECT t.op_count, o.op_count, t.op_bytes, o.op_bytes, s.last_stored_at, o.last_stored_at, o.wrong_columns,
       o.duplicates, f.folded_to > s.last_stored_at, f.folded_to
FROM space s
JOIN space_total t USING (space_id)
JOIN fold f USING (space_id)
CROSS JOIN (SELECT count(*) AS op_count, coalesce(sum(size), 0)::bigint AS op_bytes,
                   coalesce(max(stored_at), 0) AS last_stored_at, count(*) - count(DISTINCT op_id) AS duplicates,
                   count(*) FILTER (WHERE sector <> location >> 23 OR size <> octet_length(payload)) AS wrong_columns
            FROM op
            WHERE space_id = $1::bigint) o
WHERE s.space_id = $1::bigint AND s.incarnation = $2::bigint
