-- What people read with psql or Grafana: ids in base64url, as the command line prints them, times as
-- timestamptz, space keys as text (bytes that are no printable ASCII as \ooo). The library uses none of them.

CREATE VIEW op_readable AS
SELECT encode(s.key, 'escape') AS space,
       translate(rtrim(encode(o.op_id, 'base64'), '='), E'+/\n', '-_') AS op_id,
       to_timestamp(o.created_at / 1e6) AS created_at,
       to_timestamp(o.stored_at / 1e6) AS stored_at,
       o.sector, o.location, o.size
FROM op o JOIN space s USING (space_id);

CREATE VIEW space_readable AS
SELECT encode(s.key, 'escape') AS space, s.format, s.slice_mode, s.max_op_bytes, t.op_count, t.op_bytes,
       to_timestamp(s.last_stored_at / 1e6) AS last_stored_at,
       to_timestamp(s.full_slices * (s.slice_us / 1e6)) AS sealed_until
FROM space s JOIN space_total t USING (space_id);

CREATE VIEW ops_per_sector AS
SELECT encode(s.key, 'escape') AS space, o.sector, count(*) AS ops, sum(o.size) AS bytes,
       to_timestamp(min(o.created_at) / 1e6) AS earliest, to_timestamp(max(o.created_at) / 1e6) AS latest
FROM op o JOIN space s USING (space_id)
GROUP BY s.key, o.sector;

CREATE VIEW ops_per_day AS
SELECT encode(s.key, 'escape') AS space, (to_timestamp(o.created_at / 1e6) AT TIME ZONE 'UTC')::date AS day,
       count(*) AS ops, sum(o.size) AS bytes
FROM op o JOIN space s USING (space_id)
GROUP BY s.key, day;

CREATE VIEW slice_hash_readable AS
SELECT encode(s.key, 'escape') AS space, h.arc_start, h.arc_end, h.slice_index,
       to_timestamp(least(h.slice_index * (s.slice_us / 1e6), 9e12)) AS slice_start,
       translate(rtrim(encode(h.hash, 'base64'), '='), E'+/\n', '-_') AS hash, h.op_count
FROM slice_hash h JOIN space s USING (space_id);
