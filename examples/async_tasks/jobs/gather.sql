-- Sends each job that waits for others, once the last of them has ended, in whatever way. No parameters. Rows: the jobs.
INSERT INTO jobs_outbox (job_id, queue)
SELECT id, queue FROM jobs_job AS whole
WHERE state = 'queued' AND finished_at IS NULL AND sent_at IS NULL
    AND EXISTS (SELECT FROM jobs_job WHERE whole_id = whole.id)
    AND NOT EXISTS (SELECT FROM jobs_job WHERE whole_id = whole.id AND state IN ('queued', 'running'))
    AND NOT EXISTS (SELECT FROM jobs_outbox WHERE job_id = whole.id)
RETURNING job_id
