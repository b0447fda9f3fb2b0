-- One chunk of a page of a region.
-- Parameters: $1 space_id, $2 incarnation, $3 sector, $4 start (inclusive) and $5 end (exclusive) of created_at;
--   $6 created_at and $7 op_id of the op that the chunk starts behind; $8 bytes that may still be added, $9 ids that
--   may still be added.
-- Rows: none if the space is gone, else one: op_ids, joined, sizes[] and created_at[] of the chunk, by (created_at,
--   op_id), null if it is empty; exhausted: the chunk reached the end of the region. The client cuts the page out of
--   it.
-- Index: op_by_sector_created_at, from the later of $4 and $6 on; ops of one created_at are sorted by id, so the
--   chunk reads what it returns, and whatever else was created at its last microsecond. As many ops as fit by their
--   average size, and some more. Lock: none. Isolation: any.
SELECT p.op_ids, p.sizes, p.created, p.read < h.chunk AS exhausted
FROM (SELECT least($9::bigint + 1, 32 + (least($8::bigint, 1::bigint << 40)::float8 * 1.03 * greatest(t.op_count, 1)
                                         / greatest(t.op_bytes, 1)))::bigint AS chunk
      FROM space s JOIN space_total t USING (space_id)
      WHERE s.space_id = $1::bigint AND s.incarnation = $2::bigint) h
CROSS JOIN LATERAL (
    SELECT string_agg(c.op_id, ''::bytea) AS op_ids, array_agg(c.size) AS sizes, array_agg(c.created_at) AS created,
           count(*) AS read
    FROM (SELECT o.op_id, o.size, o.created_at
          FROM (SELECT o.op_id, o.size, o.created_at
                FROM op o
                WHERE o.space_id = $1::bigint AND o.sector = $3::bigint::smallint
                      AND o.created_at >= greatest($4::bigint, $6::bigint) AND o.created_at < $5::bigint
                      AND (o.created_at, o.op_id) > ($6::bigint, $7::bytea)
                ORDER BY o.created_at
                OFFSET 0) o
          ORDER BY o.created_at, o.op_id
          LIMIT h.chunk) c) p
