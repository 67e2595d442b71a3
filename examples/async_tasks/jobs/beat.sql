-- Says that a run goes on. Parameters: job, attempt, lease in seconds, progress in per cent. Row: the job, if the run still owns it.
UPDATE jobs_job SET
    lease_until = now() + make_interval(secs => %(lease)s),
    progress = greatest(progress, %(progress)s)
WHERE id = %(job)s AND attempts = %(attempt)s AND state = 'running'
RETURNING id
