"""The cache that is never wrong: leases, tags, a local layer, an outbox; only `edge` knows of HTTP."""
