-- Purges that are due, written down by whatever changes a row: ORM, SQL, COPY, MERGE, cascades and TRUNCATE.
-- SELECT cache_watch('flights_departure', 'airport:', 'airport_id') makes each change of a departure purge
-- `airport:` and the value of that column, before and after the change.

CREATE TABLE cache_outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tag text NOT NULL,
    place text NOT NULL DEFAULT 'cache', -- then `edge`, where there is a CDN
    due timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX cache_outbox_due ON cache_outbox (place, due);

-- Whoever may write a row need not know of the outbox: a role of its own, a restore without a search_path.
GRANT INSERT ON cache_outbox TO PUBLIC;
CREATE FUNCTION cache_changed() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' THEN -- it names no row
        INSERT INTO cache_outbox (tag) VALUES ('*');
    ELSE -- once for a statement, each tag once; a row of the outbox is nobody else's, so nothing waits or deadlocks
        EXECUTE format(
            'INSERT INTO cache_outbox (tag) SELECT DISTINCT %L || %I FROM (%s) AS changed WHERE %2$I IS NOT NULL',
            TG_ARGV[0], TG_ARGV[1],
            CASE TG_OP WHEN 'INSERT' THEN 'TABLE now' WHEN 'DELETE' THEN 'TABLE before'
                ELSE 'TABLE before UNION ALL TABLE now' END
        );
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION cache_watch(rows_of regclass, prefix text, tag_column text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    event text;
    seen text;
BEGIN
    FOR event, seen IN VALUES ('insert', 'REFERENCING NEW TABLE AS now'), ('delete', 'REFERENCING OLD TABLE AS before'),
        ('update', 'REFERENCING OLD TABLE AS before NEW TABLE AS now'), ('truncate', '')
    LOOP
        EXECUTE format('CREATE TRIGGER cache_%s AFTER %1$s ON %s %s EXECUTE FUNCTION cache_changed(%L, %L)',
            event, rows_of, seen, prefix, tag_column);
    END LOOP;
END $$;
