-- Store the hash of the same password anew. Parameters: user (integer), checked, renewed (text, hashes).
-- The setting tells the trigger of password.sql until the end of the transaction. No row: it is another password now.
UPDATE auth_user SET password = set_config('app.renewed', %(renewed)s, true)
WHERE id = %(user)s AND password = %(checked)s
