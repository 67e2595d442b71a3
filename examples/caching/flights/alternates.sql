-- The eight airports nearest to %(code)s, each with its departures and the number of airports within 100 km of it.
-- Nothing is indexed for it on purpose: the query is the expensive part of this service.
WITH here AS (
    SELECT latitude, longitude FROM flights_airport
    WHERE code = %(code)s AND nextval('flights_alternates_computed') > 0
), nearest AS (
    SELECT other.code, other.name, other.latitude, other.longitude,
        6371 * acos(least(1, sind(here.latitude) * sind(other.latitude) + cosd(here.latitude)
            * cosd(other.latitude) * cosd(here.longitude - other.longitude))) AS km
    FROM here, flights_airport other
    WHERE other.code <> %(code)s
    ORDER BY km, other.code
    LIMIT 8
)
SELECT nearest.code, nearest.name, round(nearest.km::numeric, 1)::float8,
    (SELECT count(*) FROM flights_departure WHERE airport_id = nearest.code),
    (SELECT count(*) FROM flights_airport around
        WHERE 6371 * acos(least(1, sind(nearest.latitude) * sind(around.latitude) + cosd(nearest.latitude)
            * cosd(around.latitude) * cosd(nearest.longitude - around.longitude))) <= 100) - 1
FROM nearest ORDER BY nearest.km, nearest.code
