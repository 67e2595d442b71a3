-- Purges tags: every entry and every running computation that carries one is void from here on, and local layers hear it.
-- KEYS: clock, tag keys. ARGV: how long a purge is remembered in ms (longer than any entry lives), channel, names of the
-- tags. Without tags it is a beat: proof that a purge could be written, and would be heard. Reply: the time of the purge.

local time = redis.call('TIME')
redis.call('SET', KEYS[1], time[1] .. string.format('%06d', time[2]), 'NX') -- as in read.lua
local seq = redis.call('INCR', KEYS[1])
for i = 2, #KEYS do redis.call('SET', KEYS[i], seq, 'PX', ARGV[1]) end
redis.call('PUBLISH', ARGV[2], ARGV[3])
return seq
