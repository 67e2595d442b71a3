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
CREATE FUNCTION flights_airports_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        PERFORM code, latitude, longitude FROM now EXCEPT SELECT code, latitude, longitude FROM before;
        IF NOT FOUND THEN
            RETURN NULL;
        END IF;
    END IF;
    INSERT INTO cache_outbox (tag) VALUES ('airports');
    RETURN NULL;
END $$;

CREATE TRIGGER airports_moved AFTER UPDATE ON flights_airport
    REFERENCING OLD TABLE AS before NEW TABLE AS now EXECUTE FUNCTION flights_airports_changed();
CREATE TRIGGER airports_changed AFTER INSERT OR DELETE ON flights_airport
    EXECUTE FUNCTION flights_airports_changed();
-- [/outbox]

-- Odometers: how often a page was read from the tables and a list of alternates was computed, by whatever process.
CREATE SEQUENCE flights_pages_read;
CREATE SEQUENCE flights_alternates_computed;
