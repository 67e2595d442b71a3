-- The statements that took the most time together: calls, milliseconds, milliseconds each, pages of 8 kB each, text.
SELECT
    calls, total_exec_time, mean_exec_time, (shared_blks_hit + shared_blks_read) / greatest(calls, 1),
    regexp_replace(query, '\s+', ' ', 'g')
FROM pg_stat_statements
WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND toplevel
ORDER BY total_exec_time DESC
LIMIT %s
