-- Makes a space unless it exists; creation may race. What it is then is read in a new statement (find_space).
-- Parameters: $1 space_id, $2 key, $3 incarnation, $4 format, $5 id_length, $6 max_op_bytes, $7 slice_factor,
--   $8 slice_us, $9 slice_mode, $10 max_future_us (array of none or one), $11 full_slices for the clock $12
--   (array of none or one: else the server's), as [reserved_us]: see the formula B(now) in docs/contract.md.
WITH made AS (
    INSERT INTO space (space_id, key, incarnation, format, id_length, max_op_bytes, slice_factor, slice_us,
                       slice_mode, max_future_us, full_slices)
    SELECT $1::bigint, $2::bytea, $3::bigint, $4::text, $5::bigint, $6::bigint, $7::bigint, $8::bigint, $9::text,
           ($10::bigint[])[1],
           CASE WHEN $9::text = 'store'
                THEN greatest(0, coalesce(($12::bigint[])[1],
                                          (extract(epoch FROM statement_timestamp()) * 1000000)::bigint)
                                 - $11::bigint) / $8::bigint
                ELSE 0 END
    ON CONFLICT DO NOTHING
    RETURNING space_id
), totals AS (
    INSERT INTO space_total (space_id) SELECT space_id FROM made
)
INSERT INTO fold (space_id, folded_to) SELECT space_id, 0 FROM made
