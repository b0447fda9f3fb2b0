-- Folds the oldest of a space's tail into its slice hashes: ops of full slices that were stored since the last fold.
-- Ingest leaves them behind, so that its commit need not wait for a thousand rows that change; until they are folded
-- in, whoever reads hashes adds them from op. So what is read is the same before and after.
-- Parameters: $1 space_id, $2 incarnation, $3 most ops.
-- Rows: one, `more`: whether some were left. None if there was nothing to do, if somebody else folded while the
--   statement waited for the lock (see ingest.sql), or if the space is gone.
-- Index: op_by_stored_at, one range. Lock: the space's row of slice_fold. Isolation: read committed.
WITH span AS (
    UPDATE slice_fold f
    SET folded_to = least(s.last_stored_at, (SELECT o.stored_at
                                             FROM op o
                                             WHERE o.space_id = $1::bigint AND o.stored_at > seen.folded_to
                                             ORDER BY o.stored_at
                                             OFFSET $3::bigint - 1
                                             LIMIT 1))
    FROM slice_fold seen, space s
    WHERE f.space_id = $1::bigint AND seen.space_id = f.space_id AND seen.folded_to = f.folded_to
          AND s.space_id = f.space_id AND s.incarnation = $2::bigint AND s.last_stored_at > f.folded_to
    RETURNING seen.folded_to AS after, f.folded_to AS upto, s.last_stored_at, s.full_slices, s.slice_us
), folded AS (
    INSERT INTO slice_hash AS kept (space_id, arc_start, arc_end, slice_index, hash, op_count)
    SELECT $1::bigint, x.sector << 23, ((x.sector + 1) << 23) - 1, x.slice_index,
           substring(varbit_send(x.bits) FROM 5), x.op_count
    FROM (SELECT o.sector::bigint, o.created_at / p.slice_us AS slice_index,
                 bit_xor(('x' || encode(o.op_id, 'hex'))::varbit) AS bits, count(*) AS op_count
          FROM span p
          JOIN op o ON o.space_id = $1::bigint AND o.stored_at > p.after AND o.stored_at <= p.upto
                       AND o.created_at / p.slice_us < p.full_slices
          GROUP BY o.sector, o.created_at / p.slice_us) x
    ON CONFLICT (space_id, arc_start, arc_end, slice_index) DO UPDATE
    SET hash = substring(varbit_send(('x' || encode(kept.hash, 'hex'))::varbit
                                     # ('x' || encode(excluded.hash, 'hex'))::varbit) FROM 5),
        op_count = kept.op_count + excluded.op_count
)
SELECT last_stored_at > upto AS more FROM span
