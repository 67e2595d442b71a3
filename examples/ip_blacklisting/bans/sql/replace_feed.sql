-- Keys: bans_feed.name. Puts a feed in the place of its last version; returns its id.
INSERT INTO bans_feed (name, version, networks, digest, run, shadow, imported, expires)
VALUES (%(name)s, 1, %(networks)s, %(digest)s, %(run)b, false, now(), %(expires)s)
ON CONFLICT (name) DO UPDATE SET
    version = bans_feed.version + 1, networks = excluded.networks, digest = excluded.digest,
    run = excluded.run, imported = excluded.imported, expires = excluded.expires
RETURNING id
