"""The cache that is never wrong: leases, tags, a local layer, an outbox; knows nothing of HTTP."""
