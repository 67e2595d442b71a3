-- Purges tags: every entry and every running computation that carries one is void from here on.
-- KEYS: clock, tag keys, as many leases: those of the entries that bear a tag's own name.
-- ARGV: how long a purge is remembered, in ms: longer than any entry lives. Reply: the time of the purge.

local seq = redis.call('INCR', KEYS[1])
local tags = (#KEYS - 1) / 2
for i = 2, tags + 1 do
  redis.call('SET', KEYS[i], seq, 'PX', ARGV[1])
  redis.call('DEL', KEYS[i + tags]) -- the next reader need not wait for a computation that is void
end
return seq
