-- End the family of a token that was used before. Parameters: session (uuid), generation (integer).
UPDATE sessions_family SET revoked_at = now()
WHERE id = %(session)s AND generation > %(generation)s AND revoked_at IS NULL
