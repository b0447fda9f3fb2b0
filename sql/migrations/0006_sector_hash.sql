-- Starts that take no longer the older a space is: the kept slice hashes of each sector together.
-- It reads every slice hash once.

-- The XOR and the number of ops of all kept slices of a sector, in slice mode store. What changes a slice hash changes
-- this row in the same statement. Who wants the hash of the disc reads it instead of every slice there is.
CREATE TABLE sector_hash (
    space_id bigint   NOT NULL,
    sector   smallint NOT NULL,
    hash     bytea    NOT NULL,
    op_count bigint   NOT NULL,
    PRIMARY KEY (space_id, sector)
) WITH (fillfactor = 40);
INSERT INTO sector_hash (space_id, sector, hash, op_count)
SELECT h.space_id, h.arc_start >> 23,
       substring(varbit_send(bit_xor(('x' || encode(h.hash, 'hex'))::varbit)) FROM 5), coalesce(sum(h.op_count), 0)
FROM space s JOIN slice_hash h ON h.space_id = s.space_id
WHERE s.slice_mode = 'store' AND h.arc_start & 8388607 = 0 AND h.arc_end = h.arc_start + 8388607
      AND h.slice_index < s.full_slices
      -- What is damaged is for `opstore verify --repair` to mend, not for a migration to fail of.
      AND h.arc_start BETWEEN 0 AND 511::bigint << 23 AND octet_length(h.hash) = s.id_length
GROUP BY h.space_id, h.arc_start >> 23;
