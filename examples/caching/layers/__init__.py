"""The cache that is never wrong: leases, tags, a local layer, an outbox; nothing here knows of HTTP."""
