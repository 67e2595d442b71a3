-- Another password ends all of a user, whoever sets it: a view, `manage.py changepassword`, or a line of SQL.
-- The hash that renew.sql stores is one of the same password.
CREATE OR REPLACE FUNCTION sessions_end() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    UPDATE sessions_family SET revoked_at = now() WHERE user_id = NEW.id AND revoked_at IS NULL;
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER sessions_end AFTER UPDATE OF password ON auth_user
FOR EACH ROW WHEN (OLD.password <> NEW.password AND NEW.password <> coalesce(current_setting('app.renewed', true), ''))
EXECUTE FUNCTION sessions_end();
