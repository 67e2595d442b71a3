-- Ends runs, whatever their end is. Parameters: jobs and attempts (arrays of one length), state, error,
-- delay in seconds (of a job that is to be tried again).
-- Rows: the jobs that these runs still owned.
WITH owned AS (
    SELECT id FROM jobs_job
    WHERE id = ANY (%(jobs)s) AND state = 'running'
        AND (id, attempts) IN (SELECT * FROM unnest(%(jobs)s::uuid[], %(attempts)s::int[]))
    ORDER BY id FOR UPDATE
)
UPDATE jobs_job SET
    state = %(state)s,
    error = %(error)s,
    failures = failures + (%(state)s = 'queued')::int,
    finished_at = CASE %(state)s WHEN 'queued' THEN NULL ELSE now() END,
    due_at = CASE %(state)s WHEN 'queued' THEN now() + make_interval(secs => %(delay)s) ELSE due_at END,
    sent_at = NULL,
    alone = true
WHERE id = ANY (ARRAY(SELECT id FROM owned))
RETURNING id
