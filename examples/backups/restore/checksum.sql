-- Rows of a table, and a sum of what they say that knows no order. Parameter: the table's name, filled in.
SELECT count(*), coalesce(sum(hashtextextended(each::text, 0)::numeric), 0)::text FROM {table} AS each
