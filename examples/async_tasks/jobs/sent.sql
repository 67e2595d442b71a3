-- Notes when jobs were sent, which `take` has locked: that takes them out of the outbox. Parameter: jobs (array).
UPDATE jobs_job SET sent_at = now() WHERE id = ANY (%(jobs)s) RETURNING id
