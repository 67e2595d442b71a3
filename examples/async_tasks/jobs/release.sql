-- Ends the leases of runs whose process is gone, so that the sweep sends their jobs again. Parameter: jobs (array).
UPDATE jobs_job SET lease_until = now() - interval '1 second'
WHERE id = ANY (ARRAY(SELECT id FROM jobs_job WHERE id = ANY (%(jobs)s) AND state = 'running' ORDER BY id FOR UPDATE))
RETURNING id
