-- Begins runs. Parameters: jobs (array), worker, lease in seconds, redelivered (the last consumer is gone), most losses.
-- Rows: job, attempt (the fencing token), failures, losses, kind, arguments, of those there are to be run. A job that
-- comes alone may be taken from a run that is lost; of several, such a one is left to the sweep.
-- Its commit does not wait for the disk: if a crash of the database forgets it, the job is queued, its message comes
-- again, and of two runs the first to end is the last.
WITH due AS (
    SELECT id FROM jobs_job
    WHERE id = ANY (%(jobs)s) AND (
        state = 'queued'
        OR state = 'running' AND cardinality(%(jobs)s::uuid[]) = 1 AND (%(redelivered)s OR lease_until < now())
    )
    ORDER BY id FOR UPDATE
), claimed AS (
    UPDATE jobs_job SET
        state = 'running',
        attempts = attempts + 1,
        losses = losses + (state = 'running')::int,
        lease_until = now() + make_interval(secs => %(lease)s),
        sent_at = coalesce(sent_at, now()) -- or the sweep would not see it: a relay has died after it was sent
    WHERE id = ANY (ARRAY(SELECT id FROM due))
    RETURNING id, attempts, failures, losses, kind, arguments
), noted AS (
    INSERT INTO jobs_run (job_id, attempt, worker)
    SELECT id, attempts, %(worker)s FROM claimed WHERE losses <= %(most_losses)s
)
SELECT claimed.* FROM claimed, set_config('synchronous_commit', 'off', true)
