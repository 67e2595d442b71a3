-- Whoever writes, through the ORM or not: a new version of the airport, and its purges in the outbox.

CREATE FUNCTION flights_count_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.version := OLD.version + 1;
    RETURN NEW;
END $$;

CREATE TRIGGER count_version BEFORE UPDATE ON flights_airport
    FOR EACH ROW EXECUTE FUNCTION flights_count_version();

-- [outbox]
SELECT cache_watch('flights_airport', 'airport:', 'code');
SELECT cache_watch('flights_departure', 'airport:', 'airport_id');

-- Which airports there are, and where, is what every list of neighbours depends on.
CREATE FUNCTION flights_airports_changed() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO cache_outbox (tag) VALUES ('airports');
    RETURN NULL;
END $$;

CREATE TRIGGER airports_changed AFTER INSERT OR DELETE OR UPDATE OF code, latitude, longitude ON flights_airport
    EXECUTE FUNCTION flights_airports_changed();
-- [/outbox]

-- Odometers: how often a page was read from the tables and a list of alternates was computed, by whatever process.
CREATE SEQUENCE flights_pages_read;
CREATE SEQUENCE flights_alternates_computed;
