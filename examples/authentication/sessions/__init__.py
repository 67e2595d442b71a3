"""Sessions as tokens: used once, signed, revoked at once, and known to the database for one transaction."""
