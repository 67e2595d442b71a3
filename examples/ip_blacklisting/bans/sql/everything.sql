-- Returns bans that are not lifted, in the order in which they were added; one document a row.
SELECT bans_document(ban) FROM bans_ban AS ban WHERE lifted IS NULL ORDER BY id
