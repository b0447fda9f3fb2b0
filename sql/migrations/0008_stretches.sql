-- Starts that read less of the recent time: where no ring can tell units of time apart any more, their hashes are one
-- row. Who folds, seals, or asks for hashes or a part of the ring waits.
LOCK TABLE fold;

-- The first unit of the stretch of time in which an op was created: what the table unit_hash has a row for. No layout
-- of peers (whose disc has at least the sealed slices) tells the units of a stretch apart. Behind the sealed slices
-- what is left up to the end of the next one halves from stretch to stretch. The quarter avoids logarithms that are
-- whole numbers, hence rounding.
CREATE FUNCTION stretch_start(created_at bigint, full_slices bigint, slice_us bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN full_slices > 0 AND created_at / slice_us = full_slices
                THEN (full_slices + 1) * (slice_us / 900000000)
                     - (1::bigint << ceil(ln(((full_slices + 1) * (slice_us / 900000000) - created_at / 900000000)
                                             ::float8 - 0.25) / ln(2::float8))::int)
                ELSE created_at / 900000000 END
$$;

WITH moved_unit AS (
    DELETE FROM unit_hash u
    USING space s
    -- What is damaged is for `verify --repair` to mend, not for a migration to fail of.
    WHERE s.space_id = u.space_id AND octet_length(u.hash) = s.id_length
          AND CASE WHEN u.unit / (s.slice_us / 900000000) = s.full_slices
                   THEN u.unit <> stretch_start(u.unit * 900000000, s.full_slices, s.slice_us) ELSE false END
    RETURNING u.space_id, stretch_start(u.unit * 900000000, s.full_slices, s.slice_us) AS unit, u.sector, u.hash,
              u.op_count
)
INSERT INTO unit_hash AS kept (space_id, unit, sector, hash, op_count)
SELECT space_id, unit, sector, substring(varbit_send(bit_xor(('x' || encode(hash, 'hex'))::varbit)) FROM 5),
       sum(op_count)
FROM moved_unit
GROUP BY space_id, unit, sector
ON CONFLICT (space_id, unit, sector) DO UPDATE
SET hash = substring(varbit_send(('x' || encode(kept.hash, 'hex'))::varbit
                                 # ('x' || encode(excluded.hash, 'hex'))::varbit) FROM 5),
    op_count = kept.op_count + excluded.op_count
WHERE octet_length(kept.hash) = octet_length(excluded.hash);
