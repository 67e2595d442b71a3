-- Writes a job and its message in one step. Parameters: id, key (or null), kind, queue, arguments (JSON), delay in
-- seconds. Row: the job's id, kind and arguments, and whether it is new; the one of that key if there is one.
WITH submitted AS (
    INSERT INTO jobs_job (id, key, kind, queue, arguments)
    VALUES (%(id)s, %(key)s, %(kind)s, %(queue)s, %(arguments)s)
    ON CONFLICT (key) DO NOTHING
    RETURNING id, kind, arguments, queue
), sent AS (
    INSERT INTO jobs_outbox (job_id, queue, due_at, alone)
    SELECT id, queue, now() + make_interval(secs => %(delay)s), false FROM submitted
)
SELECT id, kind, arguments, true FROM submitted
UNION ALL
SELECT id, kind, arguments, false FROM jobs_job WHERE key = %(key)s
