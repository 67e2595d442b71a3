-- Gives a job up. Parameters: job, reason, detail. Row: the dead letter; none if the job has ended, or has one that is open.
WITH ended AS (
    UPDATE jobs_job SET state = 'dead', error = %(reason)s, finished_at = now()
    WHERE id = %(job)s AND state IN ('queued', 'running')
    RETURNING id
)
INSERT INTO jobs_deadletter (job_id, reason, detail)
SELECT id, %(reason)s, %(detail)s FROM ended
RETURNING id
