-- One batch. Parameters: last key of the batch before, rows. Returns its own last key, rows changed, rows left out
-- because a transaction of somebody else holds them: to wait for one would keep the others of the batch locked.
WITH batch AS (
    SELECT {key} FROM {table} WHERE {key} > %s ORDER BY {key} LIMIT %s
), due AS (
    SELECT {key} FROM {table} WHERE {key} IN (SELECT {key} FROM batch) AND {column} IS DISTINCT FROM {value} AND {where}
), free AS (
    SELECT {key} FROM {table}
    WHERE {key} IN (SELECT {key} FROM due) AND {column} IS DISTINCT FROM {value} AND {where}
    FOR NO KEY UPDATE SKIP LOCKED -- FOR UPDATE would have whoever adds a row that refers to one of these wait
), filled AS (
    UPDATE {table} SET {column} = {value} WHERE {key} IN (SELECT {key} FROM free) RETURNING 1
)
SELECT
    (SELECT max({key}) FROM batch), (SELECT count(*) FROM filled),
    (SELECT count(*) FROM due) - (SELECT count(*) FROM filled)
