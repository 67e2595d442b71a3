-- The first rows of each parent. Parameters: keys of parents, how many rows of each; both lists are of one length.
-- LATERAL: each page is read from the index as far as it is shown. A window function would number every row first.
SELECT page.*, asked.place
FROM unnest(%s::{key_type}[], %s::int[]) WITH ORDINALITY AS asked (key, rows, place)
CROSS JOIN LATERAL (
    SELECT * FROM {table} WHERE {parent} = asked.key ORDER BY {order} LIMIT asked.rows
) AS page
ORDER BY asked.place, page.{order}
