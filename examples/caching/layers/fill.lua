-- Stores a computed value, if the lease still lives and nothing it is tagged with was purged since.
-- KEYS: entry, lease. ARGV: lease, prefix of tag keys, soft and hard TTL in ms, value, tags. Reply: computed or overtaken.

if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 'overtaken' end
redis.call('DEL', KEYS[2])
local seq = tonumber(ARGV[1]) -- the logical time at which the computation began
for tag in string.gmatch('* ' .. ARGV[6], '%S+') do
  local purged = redis.call('GET', ARGV[2] .. tag)
  if purged and (tonumber(purged) or seq) >= seq then return 'overtaken' end
end

local time = redis.call('TIME')
local soft_ms = time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[3]
redis.call('DEL', KEYS[1]) -- whatever was there, of whatever type
redis.call('HSET', KEYS[1], 'value', ARGV[5], 'tags', ARGV[6], 'soft_ms', soft_ms, 'seq', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 'computed'
