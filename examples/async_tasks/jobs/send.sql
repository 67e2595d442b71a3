-- Puts a message into the outbox. Parameters: job, delay in seconds. Row: when it is due.
INSERT INTO jobs_outbox (job_id, queue, due_at, alone)
SELECT id, queue, now() + make_interval(secs => %(delay)s), true FROM jobs_job WHERE id = %(job)s
RETURNING due_at
