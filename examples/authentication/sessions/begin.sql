-- Begin a family. Parameters: session (uuid), user (integer), password (text, the hash that was checked).
-- No row: meanwhile the user has become inactive, or has another password. FOR SHARE waits for who is changing it.
INSERT INTO sessions_family (id, user_id)
SELECT %(session)s, id FROM auth_user
WHERE id = %(user)s AND password = %(password)s AND is_active
FOR SHARE
