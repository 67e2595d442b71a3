-- Sends a canary through a queue, unless one is still on its way. Parameters: id of the queue's canary, queue.
-- Rows: its runs that nobody asks for any more.
WITH sent AS (
    INSERT INTO jobs_job (id, kind, queue, arguments)
    VALUES (%(id)s, 'canary', %(queue)s, '{}')
    ON CONFLICT (id) DO UPDATE SET state = 'queued', losses = 0, due_at = now(), sent_at = NULL, finished_at = NULL
    WHERE jobs_job.finished_at IS NOT NULL
    RETURNING id
)
DELETE FROM jobs_run USING sent WHERE job_id = sent.id AND started_at < now() - interval '1 minute' RETURNING jobs_run.id
