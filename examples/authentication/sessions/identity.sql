-- Who asks, for this transaction alone. Parameters: session (uuid), user (integer). No row: logged out, or inactive.
SELECT set_config('app.user', user_id::text, true)
FROM sessions_family JOIN auth_user ON auth_user.id = user_id
WHERE sessions_family.id = %(session)s AND user_id = %(user)s AND revoked_at IS NULL AND is_active
