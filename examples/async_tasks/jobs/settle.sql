-- Ends runs, whatever their end is. Parameters: jobs and attempts (arrays of one length), state, error.
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
    sent_at = NULL
FROM owned WHERE jobs_job.id = owned.id
RETURNING jobs_job.id
