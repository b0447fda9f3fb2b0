-- Earliest times that a process may answer from its memory: the sessions that may. Whoever makes such a time wrong
-- takes them back first (docs/design.md, "Earliest times in memory"). An older version of the program knows nothing of
-- them, so this is a version of the schema.
ALTER TABLE space ADD COLUMN delegates bigint[] NOT NULL DEFAULT '{}';
