"""What is kept of a PostgreSQL server: base backups, and its log as it is written, for a while."""
