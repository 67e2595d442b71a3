-- All flights as lines of text, in the order of their ids. Parameter: how many. Times are UTC, delays minutes.
COPY (
    SELECT
        id,
        airline_id || ' ' || number AS flight,
        to_char(scheduled_departure AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI"Z"') AS scheduled_departure,
        origin_id AS origin,
        destination_id AS destination,
        departure_delay
    FROM flights_flight
    ORDER BY id
    LIMIT %s
) TO STDOUT (FORMAT csv, HEADER)
