-- Width: the length of a prefix, in bits. What is wider would be in many places of a process's table. What is narrower
-- than a /64 of IPv6 would be that /64 there, and so one with others: the end of one would be the end of all.
-- What an earlier release took becomes its /64, which ends with the last of them. ::/8 and 0.0.0.0/8 are nobody's.
CREATE TEMPORARY TABLE hosts ON COMMIT DROP AS
    SELECT set_masklen(network, 64) AS network, kind, nullif(max(coalesce(expires, 'infinity')), 'infinity') AS expires
    FROM bans_ban WHERE family(network) = 6 AND masklen(network) >= 64 GROUP BY 1, 2;
DELETE FROM bans_ban WHERE family(network) = 6 AND masklen(network) >= 64;
INSERT INTO bans_ban (network, kind, expires) SELECT network, kind, expires FROM hosts;

ALTER TABLE bans_ban DROP CONSTRAINT IF EXISTS narrow, DROP CONSTRAINT IF EXISTS width, ADD CONSTRAINT width CHECK (
    masklen(network) BETWEEN CASE family(network) WHEN 4 THEN 16 ELSE 32 END
        AND CASE family(network) WHEN 4 THEN 32 ELSE 64 END
    AND NOT network && '::/8' AND NOT network && '0.0.0.0/8');
