-- The flights of the file, before planes and airports are known. Minutes of delay and in the air; miles; UTC.
CREATE TEMPORARY TABLE staged (
    airline text,
    number smallint,
    plane text,
    origin text,
    destination text,
    scheduled_departure timestamptz,
    departure_delay smallint,
    arrival_delay smallint,
    air_minutes smallint,
    distance_miles smallint
) ON COMMIT DROP
