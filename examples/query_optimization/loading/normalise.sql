-- From `staged` into the tables: first what only a flight names, then the flights in the order of time, and
-- those of the same minute in that of the file (ctid), so that each load gives each flight the same id.
INSERT INTO flights_plane (tail_number, manufacturer, model)
SELECT DISTINCT plane, '', '' FROM staged WHERE plane IS NOT NULL
ON CONFLICT DO NOTHING;

INSERT INTO flights_airport (code, name, city, country)
SELECT code, '', '', ''
FROM (SELECT origin AS code FROM staged UNION SELECT destination FROM staged) AS named
ON CONFLICT DO NOTHING;

INSERT INTO flights_airline (code, name)
SELECT DISTINCT airline, '' FROM staged
ON CONFLICT DO NOTHING;

INSERT INTO flights_flight (
    airline_id, number, plane_id, origin_id, destination_id, scheduled_departure,
    departure_delay, departed, arrival_delay, air_minutes, distance_miles
)
SELECT
    airline, number, plane, origin, destination, scheduled_departure,
    departure_delay, scheduled_departure + departure_delay * interval '1 minute', arrival_delay,
    air_minutes, distance_miles
FROM staged
ORDER BY scheduled_departure, ctid
