-- Each month (UTC) of each airport: flights, cancellations, mean delay in minutes, rank among the airports.
CREATE MATERIALIZED VIEW flights_monthly AS
SELECT
    month, origin_id, flights, cancelled, mean_delay,
    rank() OVER (PARTITION BY month ORDER BY mean_delay DESC NULLS LAST)::smallint AS rank
FROM (
    SELECT
        date_trunc('month', scheduled_departure AT TIME ZONE 'UTC')::date AS month,
        origin_id,
        count(*)::int AS flights,
        (count(*) - count(departure_delay))::int AS cancelled,
        avg(departure_delay)::float8 AS mean_delay
    FROM flights_flight
    GROUP BY 1, 2
) AS months;
-- Refreshing it while it is read needs to tell its rows apart.
CREATE UNIQUE INDEX flights_monthly_key ON flights_monthly (month, origin_id);
