-- Begins a run. Parameters: job, worker, lease in seconds, redelivered (its last consumer is gone), most losses.
-- Row: attempt (the fencing token), failures, losses, kind, arguments, correlation; no row: there is nothing to run.
-- Its commit does not wait for the disk: if a crash of the database forgets it, the job is queued, its message comes
-- again, and of two runs the first to end is the last.
WITH claimed AS (
    UPDATE jobs_job SET
        state = 'running',
        attempts = attempts + 1,
        losses = losses + (state = 'running')::int,
        worker = %(worker)s,
        lease_until = now() + make_interval(secs => %(lease)s)
    WHERE id = %(job)s AND (
        state = 'queued' OR state = 'running' AND (%(redelivered)s OR lease_until < now())
    )
    RETURNING id, attempts, failures, losses, kind, arguments, correlation
), noted AS (
    INSERT INTO jobs_run (job_id, attempt, worker)
    SELECT id, attempts, %(worker)s FROM claimed WHERE losses <= %(most_losses)s
)
SELECT attempts, failures, losses, kind, arguments, correlation
FROM claimed, set_config('synchronous_commit', 'off', true)
