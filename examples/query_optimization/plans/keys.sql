-- Foreign keys that no index begins with: deleting what they refer to reads the whole table.
SELECT c.conrelid::regclass::text, c.conname
FROM pg_constraint AS c
WHERE c.contype = 'f' AND NOT EXISTS (
    SELECT FROM pg_index AS i
    WHERE i.indrelid = c.conrelid AND i.indisvalid AND i.indpred IS NULL
        AND (i.indkey::int2[])[0:cardinality(c.conkey) - 1] @> c.conkey
)
ORDER BY 1, 2
