-- Whether this session may change spaces. Parameters: none. Rows: one.
SELECT has_table_privilege('space', 'UPDATE') AND current_setting('transaction_read_only') = 'off'
