-- Counts of flights: without tail number, of unknown planes (and of how many), to airports that airports.csv
-- lacks, and repeats of (day in New York, airline, number).
SELECT
    count(*) FILTER (WHERE plane IS NULL),
    count(*) FILTER (WHERE plane IS NOT NULL AND known.tail_number IS NULL),
    count(DISTINCT plane) FILTER (WHERE known.tail_number IS NULL),
    count(*) FILTER (WHERE NOT destination = ANY (%(airports)s)),
    (
        SELECT coalesce(sum(times - 1), 0)
        FROM (
            SELECT count(*) AS times
            FROM staged
            GROUP BY (scheduled_departure AT TIME ZONE 'America/New_York')::date, airline, number
        ) AS keys
    )
FROM staged LEFT JOIN flights_plane AS known ON known.tail_number = plane
