-- Sends again what nobody runs, each job alone: what killed a group's process shall not do it twice. Parameters: queue,
-- empty (no message waits there), seconds unseen, most. Rows: job. A run whose lease is over is lost; so is what was sent
-- to a queue that is empty now, and was not begun. Who claims a job that was lost too often gives it up.
WITH lost AS (
    SELECT id FROM jobs_job
    WHERE queue = %(queue)s AND finished_at IS NULL AND sent_at IS NOT NULL AND (
        state = 'running' AND lease_until < now()
        OR state = 'queued' AND sent_at < now() - make_interval(secs => %(unseen)s) AND %(empty)s
    )
    LIMIT %(most)s
    FOR UPDATE SKIP LOCKED
)
UPDATE jobs_job SET
    state = 'queued', losses = losses + (state = 'running')::int, due_at = now(), sent_at = NULL, alone = true
WHERE id = ANY (ARRAY(SELECT id FROM lost)) -- by its key, whatever the statistics say: a join may read all jobs
RETURNING id
