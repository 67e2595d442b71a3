-- What the rows tell of each queue. Parameters: queues (array), seconds after which silence counts. Rows: queue, waiting
-- jobs, age of the oldest in seconds, whether any run began or told of itself lately.
SELECT
    queue,
    (
        SELECT count(*) FROM jobs_job
        WHERE finished_at IS NULL AND state = 'queued' AND jobs_job.queue = asked.queue
    ),
    (
        SELECT coalesce(extract(epoch FROM now() - min(coalesce(sent_at, created_at))), 0) FROM jobs_job
        WHERE finished_at IS NULL AND state = 'queued' AND jobs_job.queue = asked.queue AND sent_at IS NOT NULL
    ),
    EXISTS (
        SELECT FROM jobs_job
        WHERE finished_at IS NULL AND state = 'running' AND jobs_job.queue = asked.queue AND lease_until > now()
    )
    OR EXISTS (
        SELECT FROM jobs_run JOIN jobs_job ON jobs_job.id = jobs_run.job_id
        WHERE jobs_run.started_at > now() - make_interval(secs => %(silence)s) AND jobs_job.queue = asked.queue
    )
FROM unnest(%(queues)s::text[]) AS asked (queue)
