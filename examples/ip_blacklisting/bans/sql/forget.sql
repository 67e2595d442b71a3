-- Times are timestamptz. Forgets who was banned until %(before)s: the bans, and their networks in the changes, whose
-- numbers, times and actors stay. The triggers that keep changes from being altered know this one exception.
SELECT set_config('bans.forgetting', 'on', true);

UPDATE bans_change SET
    before = before || '{"network": null}',
    after = after || '{"network": null}'
WHERE after ->> 'network' IS NOT NULL
    AND (after ->> 'id')::bigint IN (
        SELECT id FROM bans_ban WHERE least(lifted, expires) < %(before)s);

DELETE FROM bans_appeal WHERE ban_id IN (SELECT id FROM bans_ban WHERE least(lifted, expires) < %(before)s);

DELETE FROM bans_ban WHERE least(lifted, expires) < %(before)s;
