-- Ends a run, whatever its end is. Parameters: job, attempt, state, error. Row: the job, if the run still owned it.
UPDATE jobs_job SET
    state = %(state)s,
    error = %(error)s,
    failures = failures + (%(state)s = 'queued')::int,
    progress = CASE %(state)s WHEN 'done' THEN 100 ELSE progress END,
    finished_at = CASE %(state)s WHEN 'queued' THEN NULL ELSE now() END,
    sent_at = NULL
WHERE id = %(job)s AND attempts = %(attempt)s AND state = 'running'
RETURNING id
