-- Purges everything if this server is another one than before: after a restart from a snapshot or a failover the last
-- purges may be missing. KEYS: clock, tag `*`, run id. ARGV: memory of a purge in ms, run id of the server.

if redis.call('GET', KEYS[3]) == ARGV[2] then return 0 end
redis.call('SET', KEYS[3], ARGV[2])
local time = redis.call('TIME')
redis.call('SET', KEYS[1], time[1] .. string.format('%06d', time[2]), 'NX') -- as in read.lua
redis.call('SET', KEYS[2], redis.call('INCR', KEYS[1]), 'PX', ARGV[1])
return 1
