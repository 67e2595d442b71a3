-- Keys: bans_ban.id, bans_feeds.id; bans_change.seq counts changes from 1 without a gap. Times are timestamptz.
CREATE FUNCTION bans_document(ban bans_ban) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT jsonb_build_object(
        'id', ban.id, 'network', ban.network::text, 'kind', ban.kind,
        'expires', ceil(extract(epoch FROM ban.expires))::bigint, 'lifted', ban.lifted IS NOT NULL)
$$;

CREATE FUNCTION bans_document(feeds bans_feeds) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT jsonb_build_object('digest', feeds.digest, 'networks', feeds.networks)
$$;

-- Whoever writes, through Django or psql, is written down. The lock is held until the commit: a number is seen
-- only together with all smaller ones, and one that is rolled back is given again. What bears the number of a
-- change in a restored database bears another mark.
CREATE FUNCTION bans_note_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    last bans_change;
    document jsonb;
BEGIN
    PERFORM pg_advisory_xact_lock(7239);
    SELECT * INTO last FROM bans_change ORDER BY seq DESC LIMIT 1;
    IF TG_OP = 'DELETE' THEN
        document := bans_document(OLD) || '{"lifted": true}';
    ELSE
        document := bans_document(NEW);
    END IF;
    INSERT INTO bans_change (seq, mark, previous, at, after)
    VALUES (coalesce(last.seq, 0) + 1, gen_random_uuid()::text, coalesce(last.mark, ''), clock_timestamp(), document);
    RETURN NULL;
END $$;

CREATE TRIGGER ban_changed AFTER INSERT OR UPDATE OR DELETE ON bans_ban
    FOR EACH ROW EXECUTE FUNCTION bans_note_change();
CREATE TRIGGER feeds_changed AFTER INSERT OR UPDATE ON bans_feeds
    FOR EACH ROW EXECUTE FUNCTION bans_note_change();
