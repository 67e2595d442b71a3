-- Rows of a table, and a sum of what they say that knows no order. Parameter: the table's name, filled in.
-- `each.*` is the row also where a column is called so.
SELECT count(*), coalesce(sum(hashtextextended((each.*)::text, 0)::numeric), 0)::text FROM {table} AS each
