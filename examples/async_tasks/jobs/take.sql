-- Takes what is due, urgent queues first by name; rows that another relay has in its hands are skipped.
-- Parameter: how many. Rows: job, queue, correlation.
WITH taken AS (
    DELETE FROM jobs_outbox WHERE id IN (
        SELECT id FROM jobs_outbox WHERE due_at <= now()
        ORDER BY queue DESC, due_at LIMIT %s
        FOR UPDATE SKIP LOCKED
    )
    RETURNING job_id, queue
)
SELECT taken.job_id, taken.queue, jobs_job.correlation FROM taken JOIN jobs_job ON jobs_job.id = taken.job_id
