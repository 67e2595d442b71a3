-- Sends again what nobody runs, each job alone: what killed a group's process shall not do it twice. Parameters: most
-- losses, seconds unseen, empty queues (array). Rows: job, whether it was lost for the last time (then it is to be
-- buried). A run whose lease is over is lost; so is what was sent to a queue that is empty now, and was not begun.
WITH lost AS (
    SELECT id, queue, state FROM jobs_job
    WHERE finished_at IS NULL AND sent_at IS NOT NULL AND (
        state = 'running' AND lease_until < now()
        OR state = 'queued' AND sent_at < now() - make_interval(secs => %(unseen)s)
            AND queue = ANY (%(empty)s)
    )
    FOR UPDATE SKIP LOCKED
), swept AS (
    UPDATE jobs_job SET state = 'queued', losses = losses + (lost.state = 'running')::int, sent_at = NULL
    FROM lost
    WHERE jobs_job.id = lost.id
    RETURNING jobs_job.id, jobs_job.queue, jobs_job.losses > %(most_losses)s AS given_up
), sent AS (
    INSERT INTO jobs_outbox (job_id, queue, alone) SELECT id, queue, true FROM swept WHERE NOT given_up
)
SELECT id, given_up FROM swept
