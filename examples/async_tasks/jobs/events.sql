-- What has happened to jobs since somebody was told. Parameters: jobs (array of uuid), the last event of each that was
-- told (array of bigint). Rows: place of the job in the arrays from 1, event, state, progress in per cent; in order.
SELECT asked.place, event.id, event.state, event.progress
FROM unnest(%s::uuid[], %s::bigint[]) WITH ORDINALITY AS asked (job, after, place)
JOIN jobs_event AS event ON event.job_id = asked.job AND event.id > asked.after
ORDER BY event.id
LIMIT 1000
