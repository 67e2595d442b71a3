-- From `staged` into the tables: first what only a flight names, then the flights in the order of time, and
-- those of the same minute in that of the file (ctid), so that each load gives each flight the same id.
INSERT INTO flights_plane (tail_number, manufacturer, model)
SELECT DISTINCT tailnum, '', '' FROM staged WHERE tailnum IS NOT NULL
ON CONFLICT DO NOTHING;

INSERT INTO flights_airport (code, name, city, country)
SELECT code, '', '', ''
FROM (SELECT origin AS code FROM staged UNION SELECT dest FROM staged) AS named
ON CONFLICT DO NOTHING;

INSERT INTO flights_flight (
    airline_id, number, plane_id, origin_id, destination_id, scheduled_departure,
    departure_delay, departed, arrival_delay, air_minutes, distance_miles
)
SELECT
    carrier, flight, tailnum, origin, dest, scheduled,
    dep_delay, scheduled + dep_delay * interval '1 minute', arr_delay, air_time, distance
FROM staged, LATERAL (SELECT time_hour + minute * interval '1 minute' AS scheduled) AS sum
ORDER BY scheduled, staged.ctid
