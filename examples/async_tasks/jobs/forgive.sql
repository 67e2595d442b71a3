-- Takes back that a run was lost, for it goes on. Parameters: job, attempt. Row: the job, if it has another run by now.
UPDATE jobs_job SET losses = losses - 1
WHERE id = %(job)s AND attempts > %(attempt)s AND losses > 0
RETURNING id
