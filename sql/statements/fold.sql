-- Folds the oldest of a space's tail: ops that were stored since the last fold go into the lists of their sectors and
-- into the hashes of their slices or, where these are not full yet, of their stretches of time. Ingest leaves that
-- behind, so that its commit need not wait for a thousand rows that change; until then readers take the tail from op.
-- So what is read is the same before and after.
-- Parameters: $1 space_id, $2 incarnation, $3 most ops.
-- Rows: one, `more`: whether some were left. None if there was nothing to do, if somebody else folded while the
--   statement waited for the lock (see ingest.sql), or if the space is gone.
-- Index: op_by_stored_at, one range; sector_list_pkey, one probe for each sector. Lock: the space's row of fold.
-- Isolation: read committed.
WITH span AS (
    UPDATE fold f
    SET folded_to = least(s.last_stored_at, (SELECT o.stored_at
                                             FROM op o
                                             WHERE o.space_id = $1::bigint AND o.stored_at > seen.folded_to
                                             ORDER BY o.stored_at
                                             OFFSET $3::bigint - 1
                                             LIMIT 1))
    FROM fold seen, space s
    WHERE f.space_id = $1::bigint AND seen.space_id = f.space_id AND seen.folded_to = f.folded_to
          AND s.space_id = f.space_id AND s.incarnation = $2::bigint AND s.last_stored_at > f.folded_to
    RETURNING seen.folded_to AS after, f.folded_to AS upto, s.last_stored_at, s.full_slices, s.slice_us,
              s.slice_mode, s.id_length
), taken AS MATERIALIZED (
    SELECT o.stored_at, o.sector, o.location, o.created_at, o.size, o.op_id
    FROM span p
    CROSS JOIN LATERAL (
        SELECT o.stored_at, o.sector, o.location, o.created_at, o.size, o.op_id
        FROM op o
        WHERE o.space_id = $1::bigint AND o.stored_at > p.after AND o.stored_at <= p.upto
        ORDER BY o.stored_at
        OFFSET 0) o
), part AS MATERIALIZED (
    SELECT t.sector::bigint, t.created_at / p.slice_us AS slice_index,
           bit_xor(('x' || encode(t.op_id, 'hex'))::varbit) AS bits, count(*) AS op_count
    FROM span p
    JOIN taken t ON t.created_at / p.slice_us < p.full_slices
    GROUP BY t.sector, t.created_at / p.slice_us
), hashed AS (
    INSERT INTO slice_hash AS kept (space_id, arc_start, arc_end, slice_index, hash, op_count)
    SELECT $1::bigint, x.sector << 23, ((x.sector + 1) << 23) - 1, x.slice_index,
           substring(varbit_send(x.bits) FROM 5), x.op_count
    FROM part x
    ON CONFLICT (space_id, arc_start, arc_end, slice_index) DO UPDATE
    SET hash = substring(varbit_send(('x' || encode(kept.hash, 'hex'))::varbit
                                     # ('x' || encode(excluded.hash, 'hex'))::varbit) FROM 5),
        op_count = kept.op_count + excluded.op_count
), summed AS (
    INSERT INTO sector_hash AS kept (space_id, sector, hash, op_count)
    SELECT $1::bigint, x.sector, substring(varbit_send(bit_xor(x.bits)) FROM 5), sum(x.op_count)
    FROM part x
    GROUP BY x.sector
    ON CONFLICT (space_id, sector) DO UPDATE
    SET hash = substring(varbit_send(('x' || encode(kept.hash, 'hex'))::varbit
                                     # ('x' || encode(excluded.hash, 'hex'))::varbit) FROM 5),
        op_count = kept.op_count + excluded.op_count
), young AS (
    INSERT INTO unit_hash AS kept (space_id, unit, sector, hash, op_count)
    SELECT $1::bigint, stretch_start(t.created_at, p.full_slices, p.slice_us) AS unit, t.sector,
           substring(varbit_send(bit_xor(('x' || encode(t.op_id, 'hex'))::varbit)) FROM 5), count(*)
    FROM span p
    JOIN taken t ON t.created_at / p.slice_us >= p.full_slices
    WHERE p.slice_mode = 'store'
    GROUP BY 2, t.sector
    ON CONFLICT (space_id, unit, sector) DO UPDATE
    SET hash = substring(varbit_send(('x' || encode(kept.hash, 'hex'))::varbit
                                     # ('x' || encode(excluded.hash, 'hex'))::varbit) FROM 5),
        op_count = kept.op_count + excluded.op_count
), listed AS (
    -- The ops of a sector, cut where the last list is full (32 ops, as in repair_lists), and behind it. What is left of
    -- a slice's or a substring's first element is empty.
    INSERT INTO sector_list AS list (space_id, sector, first_stored_at, stamps, sizes, offsets, op_ids)
    SELECT $1::bigint, n.sector, CASE WHEN cut.begins < 1 THEN last.first_stored_at ELSE n.stamps[cut.begins] END,
           n.stamps[cut.begins:cut.begins + 31], n.sizes[cut.begins:cut.begins + 31],
           n.offsets[cut.begins:cut.begins + 31],
           substring(n.op_ids FROM (cut.begins - 1) * p.id_length + 1 FOR 32 * p.id_length)
    FROM span p
    CROSS JOIN (SELECT sector, array_agg(stored_at ORDER BY stored_at) AS stamps,
                       array_agg(size ORDER BY stored_at) AS sizes,
                       array_agg((location & 8388607)::int ORDER BY stored_at) AS offsets,
                       string_agg(op_id, ''::bytea ORDER BY stored_at) AS op_ids
                FROM taken
                GROUP BY sector) n
    LEFT JOIN LATERAL (SELECT l.first_stored_at, least(cardinality(l.stamps), 32) AS held
                       FROM sector_list l
                       WHERE l.space_id = $1::bigint AND l.sector = n.sector
                       ORDER BY l.first_stored_at DESC
                       LIMIT 1) last ON true
    CROSS JOIN LATERAL generate_series(CASE last.held WHEN 32 THEN 1 ELSE 1 - coalesce(last.held, 0) END,
                                       cardinality(n.stamps), 32) AS cut (begins)
    ON CONFLICT (space_id, sector, first_stored_at) DO UPDATE
    SET stamps = list.stamps || excluded.stamps, sizes = list.sizes || excluded.sizes,
        offsets = list.offsets || excluded.offsets, op_ids = list.op_ids || excluded.op_ids
)
SELECT last_stored_at > upto AS more FROM span
