-- What the rows tell of each queue. Parameters: queues (array), seconds after which silence counts. Rows: queue, jobs that
-- were sent and wait, age of the oldest in seconds, whether any run began or told of itself lately, seconds that the
-- oldest message is overdue. Indexes answer all of it: none of them grows with the outbox.
SELECT
    queue,
    waiting.jobs,
    waiting.oldest_seconds,
    EXISTS (
        SELECT FROM jobs_job
        WHERE finished_at IS NULL AND sent_at IS NOT NULL
            AND state = 'running' AND jobs_job.queue = asked.queue AND lease_until > now()
    )
    OR EXISTS (
        SELECT FROM jobs_run
        WHERE started_at > now() - make_interval(secs => %(silence)s)
            -- One row by its key for each run; a join may be planned to read all jobs.
            AND (SELECT jobs_job.queue FROM jobs_job WHERE jobs_job.id = jobs_run.job_id) = asked.queue
    ),
    coalesce((
        SELECT extract(epoch FROM now() - due_at)::float FROM jobs_job
        WHERE jobs_job.queue = asked.queue AND finished_at IS NULL AND sent_at IS NULL AND due_at <= now()
        ORDER BY due_at LIMIT 1 -- min() may be planned to read all that is due
    ), 0)
FROM unnest(%(queues)s::text[]) AS asked (queue), LATERAL (
    SELECT count(*) AS jobs, coalesce(extract(epoch FROM now() - min(sent_at)), 0)::float AS oldest_seconds
    FROM jobs_job
    WHERE finished_at IS NULL AND sent_at IS NOT NULL AND state = 'queued' AND jobs_job.queue = asked.queue
) AS waiting
