-- Keys: bans_ban.id, bans_feed.id; bans_change.seq counts changes from 1 without a gap. Times are timestamptz.
CREATE TABLE bans_epoch (id uuid PRIMARY KEY DEFAULT gen_random_uuid());
INSERT INTO bans_epoch DEFAULT VALUES;

-- An expired ban gives way to a new one of its network; the unique constraints of the model see only one of them.
CREATE FUNCTION bans_lift_expired() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE bans_ban SET lifted = now()
    WHERE network = NEW.network AND kind = NEW.kind AND lifted IS NULL AND expires <= now();
    RETURN NEW;
END $$;

CREATE TRIGGER lift_expired BEFORE INSERT ON bans_ban
    FOR EACH ROW EXECUTE FUNCTION bans_lift_expired();

CREATE FUNCTION bans_document(ban bans_ban) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT jsonb_build_object(
        'id', ban.id, 'network', ban.network::text, 'kind', ban.kind, 'scope', ban.scope, 'shadow', ban.shadow,
        'expires', ceil(extract(epoch FROM ban.expires))::bigint, 'lifted', ban.lifted IS NOT NULL,
        'reason', ban.reason, 'source', ban.source)
$$;

CREATE FUNCTION bans_document(feed bans_feed) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT jsonb_build_object(
        'id', feed.id, 'name', feed.name, 'version', feed.version, 'networks', feed.networks,
        'digest', feed.digest, 'shadow', feed.shadow, 'expires', ceil(extract(epoch FROM feed.expires))::bigint)
$$;

-- Whoever writes, through Django or psql, is written down. The lock is held until the commit: a number is seen
-- only together with all smaller ones, and one that is rolled back is given again.
CREATE FUNCTION bans_note_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7239);
    INSERT INTO bans_change (seq, at, actor, before, after)
    SELECT coalesce(max(seq), 0) + 1, clock_timestamp(),
        coalesce(nullif(current_setting('bans.actor', true), ''), current_user),
        CASE WHEN TG_OP = 'UPDATE' THEN bans_document(OLD) END, bans_document(NEW)
    FROM bans_change;
    PERFORM pg_notify('bans', '');
    RETURN NULL;
END $$;

CREATE TRIGGER ban_changed AFTER INSERT OR UPDATE ON bans_ban
    FOR EACH ROW EXECUTE FUNCTION bans_note_change();
CREATE TRIGGER feed_changed AFTER INSERT OR UPDATE ON bans_feed
    FOR EACH ROW EXECUTE FUNCTION bans_note_change();

CREATE FUNCTION bans_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('bans.forgetting', true) = 'on' AND TG_OP <> 'TRUNCATE' THEN
        RETURN NULL; -- of a statement's trigger it means nothing
    END IF;
    RAISE EXCEPTION '% is not done to %: %', TG_OP, TG_TABLE_NAME, TG_ARGV[0];
END $$;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON bans_change
    FOR EACH STATEMENT EXECUTE FUNCTION bans_refuse('changes are appended');
CREATE TRIGGER lifted_not_deleted BEFORE DELETE OR TRUNCATE ON bans_ban
    FOR EACH STATEMENT EXECUTE FUNCTION bans_refuse('a ban is lifted');
