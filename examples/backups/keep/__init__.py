"""What is kept of a PostgreSQL server: base backups, and its log as it is written, for as long as is wanted."""
