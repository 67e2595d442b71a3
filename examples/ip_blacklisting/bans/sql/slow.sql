-- Keys: bans_sighting.client, a pseudonym of one day. Times are timestamptz.
-- Returns who has failed to log in %(failures)s times since %(since)s, and within how many different hours.
SELECT client, count(*), count(DISTINCT date_trunc('hour', at))
FROM bans_sighting
WHERE at >= %(since)s AND status IN (401, 429)
GROUP BY client
HAVING count(*) >= %(failures)s
