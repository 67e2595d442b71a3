-- Returns one number for all active bans at a change: XOR of the first 64 bits of md5('id|network'); see replica.mark.
SELECT (SELECT coalesce(max(seq), 0) FROM bans_change),
    coalesce(bit_xor(('x' || left(md5(id || '|' || network::text), 16))::bit(64)), 0::bigint::bit(64))::bigint
FROM bans_ban
WHERE lifted IS NULL
