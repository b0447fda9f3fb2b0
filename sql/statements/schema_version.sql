-- The newest migration, 0 if none. Parameters: none.
SELECT coalesce(max(version), 0) FROM schema_migration
