-- Ends a lease, and stores a computed value if the lease still lives and nothing that it is tagged with was purged since.
-- KEYS: entry, lease. ARGV: lease, prefix of tag keys, soft and hard TTL in ms, value, tags; without a value it is given back.
-- Reply: computed, overtaken, or bypass: the memory is full.

if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 'overtaken' end
local outcome, seq = 'computed', tonumber(ARGV[1]) -- the logical time at which the computation began
for tag in string.gmatch('* ' .. (ARGV[6] or ''), '%S+') do
  local purged = redis.call('GET', ARGV[2] .. tag)
  if purged and (tonumber(purged) or seq) >= seq then outcome = 'overtaken' end
end
if ARGV[5] and outcome == 'computed' then
  local time = redis.call('TIME')
  local soft_ms = time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[3]
  -- The first write of this script: a later one would pass by `maxmemory`.
  local stored = redis.pcall('HSET', KEYS[1], 'value', ARGV[5], 'tags', ARGV[6], 'soft_ms', soft_ms, 'seq', ARGV[1])
  if type(stored) == 'table' then outcome = 'bypass' else redis.call('PEXPIRE', KEYS[1], ARGV[4]) end
end
redis.call('DEL', KEYS[2])
return outcome
