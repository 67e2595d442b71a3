-- Writes a job down, which is its message, too. Parameters: id, key (or null), kind, queue, arguments (JSON), delay in
-- seconds. Row: the job's id; none if there is a job which has this key.
INSERT INTO jobs_job (id, key, kind, queue, arguments, due_at)
VALUES (%(id)s, %(key)s, %(kind)s, %(queue)s, %(arguments)s, now() + make_interval(secs => %(delay)s))
ON CONFLICT (key) DO NOTHING
RETURNING id
