-- Gives a job up. Parameters: job, attempt (of the run that gives it up; null: whoever runs it), reason, detail.
-- Row: the dead letter; none if the job has ended, has one that is open, or belongs to another run.
WITH ended AS (
    UPDATE jobs_job SET state = 'dead', error = %(reason)s, finished_at = now()
    WHERE id = %(job)s AND state IN ('queued', 'running')
        AND (%(attempt)s::int IS NULL OR attempts = %(attempt)s AND state = 'running')
    RETURNING id
)
INSERT INTO jobs_deadletter (job_id, reason, detail)
SELECT id, %(reason)s, %(detail)s FROM ended
RETURNING id
