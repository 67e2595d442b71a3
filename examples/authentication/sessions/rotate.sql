-- Use a refresh token. Parameters: session (uuid), generation (integer), days. One row, or it is not the live one.
-- Of fifty at once one finds the generation; the others wait for its row, and then find another.
UPDATE sessions_family SET generation = generation + 1, rotated_at = clock_timestamp()
FROM auth_user
WHERE auth_user.id = user_id AND is_active
    AND sessions_family.id = %(session)s AND generation = %(generation)s
    AND revoked_at IS NULL AND begun_at > now() - %(days)s * interval '1 day'
RETURNING user_id
