-- Purges everything if this server is another one than before: after a restart from a snapshot or a failover the
-- last purges may be missing. KEYS: run id, clock, tag `*`. ARGV: run id of the server, memory of a purge in ms.

if redis.call('GET', KEYS[1]) == ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1])
redis.call('SET', KEYS[3], redis.call('INCR', KEYS[2]), 'PX', ARGV[2])
return 1
