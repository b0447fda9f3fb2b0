-- Makes the three roles of a database that several people or programs share, and grants what each needs. Roles
-- belong to the whole server: those that exist stay as they are. Log-in users are made members of one of them:
--   opstore_owner   migrations: may create in the schema
--   opstore_writer  stores ops, seals and repairs; no DDL
--   opstore_reader  reads, the views included
-- Run with CREATEROLE, as the owner of the schema {schema}. Idempotent.
DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['opstore_owner', 'opstore_writer', 'opstore_reader'] LOOP
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;  -- It exists, or somebody was quicker.
        END;
    END LOOP;
END $$;
GRANT USAGE, CREATE ON SCHEMA {schema} TO opstore_owner;
GRANT ALL ON ALL TABLES IN SCHEMA {schema} TO opstore_owner;
GRANT USAGE ON SCHEMA {schema} TO opstore_writer, opstore_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO opstore_reader;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO opstore_writer;
GRANT EXECUTE ON FUNCTION {schema}.stretch_start TO opstore_owner, opstore_writer, opstore_reader;
REVOKE INSERT, UPDATE, DELETE ON {schema}.schema_migration FROM opstore_writer;
ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT SELECT ON TABLES TO opstore_reader;
ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO opstore_writer;
ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT EXECUTE ON FUNCTIONS TO opstore_writer, opstore_reader;
-- `opstore stat` shows the age of the oldest open transaction, of other users' sessions too.
DO $$
BEGIN
    GRANT pg_read_all_stats TO opstore_reader, opstore_writer;
EXCEPTION WHEN insufficient_privilege THEN
    NULL;  -- Only a superuser may; `stat` then sees the sessions of its own user.
END $$;
