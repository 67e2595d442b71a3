-- Notes each new job, and each change of a job's state or progress in per cent, as an event: in the transaction that
-- makes it, whoever makes it. No parameters; run once, by a migration.
CREATE FUNCTION jobs_tell() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO jobs_event (job_id, state, progress) VALUES (NEW.id, NEW.state, NEW.progress);
    RETURN NULL;
END
$$;
CREATE TRIGGER jobs_tell_new AFTER INSERT ON jobs_job FOR EACH ROW
WHEN (NEW.kind <> 'canary')
EXECUTE FUNCTION jobs_tell();
CREATE TRIGGER jobs_tell_change AFTER UPDATE OF state, progress ON jobs_job FOR EACH ROW
WHEN (NEW.kind <> 'canary' AND (OLD.state, OLD.progress) IS DISTINCT FROM (NEW.state, NEW.progress))
EXECUTE FUNCTION jobs_tell();
