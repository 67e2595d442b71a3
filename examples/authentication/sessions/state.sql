-- Of a token that is not live: the user, and whether it is the live one's parent, used less than `retry` seconds ago.
-- No row: its family is over, or its user inactive.
SELECT user_id, generation = %(generation)s + 1
    AND rotated_at > clock_timestamp() - %(retry)s * interval '1 second'
FROM sessions_family JOIN auth_user ON auth_user.id = user_id
WHERE is_active AND sessions_family.id = %(session)s AND revoked_at IS NULL
    AND begun_at > now() - %(days)s * interval '1 day'
