-- Keys: bans_ban.id, bans_feed.id; bans_change.seq counts changes from 1 without a gap. Times are timestamptz.
CREATE OR REPLACE FUNCTION bans_document(ban bans_ban) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT jsonb_build_object(
        'network', ban.network::text, 'kind', ban.kind,
        'expires', ceil(extract(epoch FROM nullif(ban.expires, 'infinity')))::bigint, 'lifted', false)
$$;

CREATE OR REPLACE FUNCTION bans_document(feed bans_feed) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT jsonb_build_object('digest', md5(feed.run), 'networks', feed.networks)
$$;

-- Whoever writes, through Django or psql, is written down. The lock is held until the commit: a number is seen
-- only together with all smaller ones, and one that is rolled back is given again. What bears the number of a
-- change in a restored database bears another mark.
CREATE OR REPLACE FUNCTION bans_note(document jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7239);
    INSERT INTO bans_change (seq, mark, at, after)
    SELECT coalesce(max(seq), 0) + 1, gen_random_uuid()::text, clock_timestamp(), document FROM bans_change;
END $$;

CREATE OR REPLACE FUNCTION bans_note_row() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before jsonb := bans_document(OLD);
    after jsonb := bans_document(NEW);
BEGIN
    IF TG_OP = 'DELETE' OR (before ->> 'network', before ->> 'kind') <> (after ->> 'network', after ->> 'kind') THEN
        PERFORM bans_note(before || '{"lifted": true}');
    END IF;
    IF TG_OP <> 'DELETE' AND before IS DISTINCT FROM after THEN
        PERFORM bans_note(after);
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER ban_changed AFTER INSERT OR UPDATE OR DELETE ON bans_ban
    FOR EACH ROW EXECUTE FUNCTION bans_note_row();
CREATE OR REPLACE TRIGGER feeds_changed AFTER INSERT OR UPDATE ON bans_feed
    FOR EACH ROW WHEN (NEW.name = '') EXECUTE FUNCTION bans_note_row();
