-- Forgets jobs that ended long ago, with their runs, events, letters and messages. Parameters: days, most jobs.
-- Rows: the jobs. One with an open dead letter stays, and one that others belong to goes after them.
WITH old AS (
    SELECT id FROM jobs_job AS ended
    WHERE finished_at < now() - make_interval(days => %(days)s)
        AND NOT EXISTS (SELECT FROM jobs_deadletter WHERE job_id = ended.id AND resolved_at IS NULL)
        AND NOT EXISTS (SELECT FROM jobs_job AS member WHERE member.whole_id = ended.id)
    LIMIT %(most)s
    FOR UPDATE SKIP LOCKED
), runs AS (
    DELETE FROM jobs_run USING old WHERE job_id = old.id
), events AS (
    DELETE FROM jobs_event USING old WHERE job_id = old.id
), letters AS (
    DELETE FROM jobs_deadletter USING old WHERE job_id = old.id
), messages AS (
    DELETE FROM jobs_outbox USING old WHERE job_id = old.id
)
DELETE FROM jobs_job USING old WHERE jobs_job.id = old.id RETURNING jobs_job.id
