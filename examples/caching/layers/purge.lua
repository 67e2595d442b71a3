#!lua flags=allow-oom
-- Purges tags: every entry and every running computation that carries one is void from here on, and local layers hear it.
-- KEYS: clock, run id, tag keys. ARGV: how long a purge is remembered in ms (longer than any entry lives), channel, names of
-- the tags, and `if new`, if it counts only on another server than the one before. Reply: the time of the purge.
-- Without tags it is a beat: proof that a purge could be written, and would be heard.

local time = redis.call('TIME')
local now = time[1] .. string.format('%06d', time[2])
if ARGV[4] then
  local run_id = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
  if redis.call('GET', KEYS[2]) == run_id then return 0 end
  redis.call('SET', KEYS[2], run_id)
  -- A snapshot or a replica may lack the last leases, and would hand out their numbers again; never back, whatever the time.
  if (tonumber(redis.call('GET', KEYS[1])) or 0) < tonumber(now) then redis.call('SET', KEYS[1], now) end
end
redis.call('SET', KEYS[1], now, 'NX') -- as in read.lua
local seq = redis.call('INCR', KEYS[1])
for i = 3, #KEYS do redis.call('SET', KEYS[i], seq, 'PX', ARGV[1]) end
redis.call('PUBLISH', ARGV[2], ARGV[3])
return seq
