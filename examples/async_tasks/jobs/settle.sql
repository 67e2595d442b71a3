-- Ends runs, whatever their end is. Parameters: jobs and attempts (arrays of one length), state, error,
-- delay in seconds (of a job that is to be tried again).
-- Rows: the jobs that these runs still owned.
WITH owned AS (
    SELECT id FROM jobs_job JOIN unnest(%(jobs)s::uuid[], %(attempts)s::int[]) AS run (job, attempt) ON id = job
    WHERE attempts = attempt AND state = 'running'
    ORDER BY id FOR UPDATE OF jobs_job
)
UPDATE jobs_job SET
    state = %(state)s,
    error = %(error)s,
    failures = failures + (%(state)s = 'queued')::int,
    finished_at = CASE %(state)s WHEN 'queued' THEN NULL ELSE now() END,
    due_at = CASE %(state)s WHEN 'queued' THEN now() + make_interval(secs => %(delay)s) ELSE due_at END,
    sent_at = NULL,
    alone = true
FROM owned WHERE jobs_job.id = owned.id
RETURNING jobs_job.id
