-- Sends a canary through a queue, unless one is still on its way. Parameters: id of the queue's canary, queue.
-- Row: the canary, if one was sent.
WITH sent AS (
    INSERT INTO jobs_job (id, kind, queue, arguments)
    VALUES (%(id)s, 'canary', %(queue)s, '{}')
    ON CONFLICT (id) DO UPDATE SET
        state = 'queued', failures = 0, losses = 0, created_at = now(), sent_at = NULL, finished_at = NULL
    WHERE jobs_job.state NOT IN ('queued', 'running')
    RETURNING id, queue
), pruned AS (
    DELETE FROM jobs_run USING sent WHERE job_id = sent.id AND started_at < now() - interval '1 minute'
)
INSERT INTO jobs_outbox (job_id, queue, alone) SELECT id, queue, false FROM sent RETURNING job_id
