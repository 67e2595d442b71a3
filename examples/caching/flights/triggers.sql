-- Whoever writes, through the ORM or not: a new version of the airport, and its purges in the outbox.

CREATE FUNCTION flights_count_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.version := OLD.version + 1;
    RETURN NEW;
END $$;

CREATE TRIGGER count_version BEFORE UPDATE ON flights_airport
    FOR EACH ROW EXECUTE FUNCTION flights_count_version();

-- [outbox]
CREATE FUNCTION flights_airport_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO flights_outbox (tag)
        SELECT DISTINCT 'airport:' || code FROM unnest(ARRAY[OLD.code, NEW.code]) AS code WHERE code IS NOT NULL;
    -- Which airports there are, and where, is what every list of neighbours depends on.
    IF (OLD.code, OLD.latitude, OLD.longitude) IS DISTINCT FROM (NEW.code, NEW.latitude, NEW.longitude) THEN
        INSERT INTO flights_outbox (tag) VALUES ('airports');
    END IF;
    NOTIFY cache_outbox; -- delivered at COMMIT, once for a transaction; never after ROLLBACK
    RETURN NULL;
END $$;

CREATE TRIGGER airport_changed AFTER INSERT OR UPDATE OR DELETE ON flights_airport
    FOR EACH ROW EXECUTE FUNCTION flights_airport_changed();
-- [/outbox]

CREATE FUNCTION flights_departure_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE flights_airport SET version = version
        WHERE code IN (OLD.airport_id, NEW.airport_id);
    RETURN NULL;
END $$;

CREATE TRIGGER departure_changed AFTER INSERT OR UPDATE OR DELETE ON flights_departure
    FOR EACH ROW EXECUTE FUNCTION flights_departure_changed();

-- No row is named by TRUNCATE: everything is purged.
CREATE FUNCTION flights_truncated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE flights_airport SET version = version WHERE TG_TABLE_NAME = 'flights_departure';
    INSERT INTO flights_outbox (tag) VALUES ('*');
    NOTIFY cache_outbox;
    RETURN NULL;
END $$;

CREATE TRIGGER airport_truncated AFTER TRUNCATE ON flights_airport EXECUTE FUNCTION flights_truncated();
CREATE TRIGGER departure_truncated AFTER TRUNCATE ON flights_departure EXECUTE FUNCTION flights_truncated();

-- Odometers: how often a page was read from the tables and a list of alternates was computed, by whatever process.
CREATE SEQUENCE flights_pages_read;
CREATE SEQUENCE flights_alternates_computed;
