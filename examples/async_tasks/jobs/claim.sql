-- Begins runs. Parameters: jobs (array), worker, lease in seconds, redelivered (the last consumer is gone), takeover
-- (whether a job that runs may be taken from a run that is lost; else that is left to the keeper), most losses.
-- Rows: job, attempt (the fencing token), failures, losses, kind, arguments, correlation, of those there are to be run.
-- Its commit does not wait for the disk: if a crash of the database forgets it, the job is queued, its message comes
-- again, and of two runs the first to end is the last.
WITH due AS (
    SELECT id FROM jobs_job
    WHERE id = ANY (%(jobs)s) AND (
        state = 'queued'
        OR state = 'running' AND %(takeover)s AND (%(redelivered)s OR lease_until < now())
    )
    ORDER BY id FOR UPDATE
), claimed AS (
    UPDATE jobs_job SET
        state = 'running',
        attempts = attempts + 1,
        losses = losses + (state = 'running')::int,
        worker = %(worker)s,
        lease_until = now() + make_interval(secs => %(lease)s)
    FROM due WHERE jobs_job.id = due.id
    RETURNING jobs_job.id, attempts, failures, losses, kind, arguments, correlation
), noted AS (
    INSERT INTO jobs_run (job_id, attempt, worker)
    SELECT id, attempts, %(worker)s FROM claimed WHERE losses <= %(most_losses)s
)
SELECT id, attempts, failures, losses, kind, arguments, correlation
FROM claimed, set_config('synchronous_commit', 'off', true)
