-- Writes a job down, which is its message, too. Parameters: id, key (or null), kind, queue, arguments (JSON), delay in
-- seconds. Row: the job's id, or that of the one which has this key; whether that is the same request.
WITH submitted AS (
    INSERT INTO jobs_job (id, key, kind, queue, arguments, due_at)
    VALUES (%(id)s, %(key)s, %(kind)s, %(queue)s, %(arguments)s, now() + make_interval(secs => %(delay)s))
    ON CONFLICT (key) DO NOTHING
    RETURNING id
)
SELECT id, true FROM submitted
UNION ALL
SELECT id, kind = %(kind)s AND arguments = %(arguments)s::jsonb FROM jobs_job WHERE key = %(key)s
