-- Forgets messages that the broker has confirmed, and notes when they were sent. Parameter: rows of the outbox (array).
-- Jobs are locked by their id, here and wherever several are: in any order, two that take them wait for each other.
WITH gone AS (
    DELETE FROM jobs_outbox WHERE id = ANY (%(rows)s) RETURNING job_id
), locked AS (
    SELECT id FROM jobs_job WHERE id IN (SELECT job_id FROM gone) ORDER BY id FOR UPDATE
)
UPDATE jobs_job SET sent_at = now() FROM locked WHERE jobs_job.id = locked.id RETURNING jobs_job.id
