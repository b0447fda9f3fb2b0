-- Sets the derived columns of ops that differ. Run behind lock_space, before the other repairs.
-- Parameters: $1 space_id.
UPDATE op SET sector = (location >> 23)::smallint, size = octet_length(payload)
WHERE space_id = $1::bigint AND (sector <> location >> 23 OR size <> octet_length(payload))
