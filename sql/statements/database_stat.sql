-- What an operator wants to know of the server. Parameters: none. Rows: one.
SELECT current_setting('server_version'),
       (SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint
        FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r'),
       (SELECT coalesce((extract(epoch FROM max(clock_timestamp() - a.xact_start)) * 1000)::bigint, 0)
        FROM pg_stat_activity a WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
                                      AND a.backend_type = 'client backend'),
       current_setting('fsync') = 'on',
       current_setting('synchronous_commit')
