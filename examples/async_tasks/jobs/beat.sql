-- Says that a run goes on. Parameters: job, attempt, lease in seconds. Row: the job, if the run still owns it.
UPDATE jobs_job SET lease_until = now() + make_interval(secs => %(lease)s)
WHERE id = %(job)s AND attempts = %(attempt)s AND state = 'running'
RETURNING id
