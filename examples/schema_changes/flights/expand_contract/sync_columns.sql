-- Minutes stand in `late` (old code) and `delay_minutes` (new code); whichever is written fills the other.
CREATE OR REPLACE FUNCTION {table}_sync() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('expand_contract.quiet', true) = 'on' THEN
        NULL; -- the migration backwards empties one of them
    ELSIF TG_OP = 'INSERT' THEN
        NEW.late := coalesce(NEW.late, NEW.delay_minutes);
        NEW.delay_minutes := coalesce(NEW.delay_minutes, NEW.late);
    ELSIF NEW.late IS DISTINCT FROM OLD.late THEN
        NEW.delay_minutes := NEW.late;
    ELSIF NEW.delay_minutes IS DISTINCT FROM OLD.delay_minutes THEN
        NEW.late := NEW.delay_minutes;
    END IF;
    RETURN NEW;
END
$$;
CREATE OR REPLACE TRIGGER sync BEFORE INSERT OR UPDATE ON {table}
FOR EACH ROW EXECUTE FUNCTION {table}_sync();
