-- Takes what is due on a queue, the oldest first; rows that another relay has in its hands are skipped. The index gives
-- them in this order, so that a long outbox costs no more. Parameters: queue, most. Rows: job, whether it goes alone.
SELECT id, alone FROM jobs_job
WHERE queue = %(queue)s AND finished_at IS NULL AND sent_at IS NULL AND due_at <= now()
ORDER BY due_at LIMIT %(most)s
FOR UPDATE SKIP LOCKED
