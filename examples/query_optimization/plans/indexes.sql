-- The indexes of this database that nothing asks for: size in bytes, scans since the statistics began.
-- A unique index is kept for its constraint, however seldom it is read.
SELECT s.relname, s.indexrelname, pg_relation_size(s.indexrelid), s.idx_scan,
    CASE
        WHEN NOT i.indisvalid THEN 'invalid: a concurrent build failed; drop it and build it again'
        WHEN EXISTS (
            SELECT FROM pg_index AS o
            WHERE o.indrelid = i.indrelid AND o.indexrelid < i.indexrelid AND o.indpred IS NULL
                AND o.indexprs IS NULL AND i.indpred IS NULL AND i.indexprs IS NULL
                AND (o.indkey, o.indclass, o.indoption, o.indcollation)
                    = (i.indkey, i.indclass, i.indoption, i.indcollation)
        ) THEN 'duplicate: another index holds the same'
        WHEN s.idx_scan = 0 AND NOT i.indisunique THEN 'unused'
        ELSE ''
    END
FROM pg_stat_user_indexes AS s JOIN pg_index AS i USING (indexrelid)
ORDER BY s.relname, s.indexrelname
