"""The database's history, one ordered step per file; `portal.database.migrate` runs them."""
