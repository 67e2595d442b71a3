"""Steps outside of a transaction, each of which skips what it finds: whole or not."""
