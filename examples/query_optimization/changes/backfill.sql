-- One batch. Parameters: last key of the batch before, rows. Returns its own last key, rows changed.
WITH batch AS (
    SELECT {key} FROM {table} WHERE {key} > %s ORDER BY {key} LIMIT %s
), filled AS (
    UPDATE {table} SET {column} = {value}
    WHERE {key} IN (SELECT {key} FROM batch) AND {column} IS DISTINCT FROM {value} AND {where}
    RETURNING 1
)
SELECT (SELECT max({key}) FROM batch), (SELECT count(*) FROM filled)
