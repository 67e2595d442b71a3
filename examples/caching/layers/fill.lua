-- Stores a computed value, if the lease still lives and nothing it is tagged with was purged since.
-- KEYS: entry, lease, absent entries, clock. ARGV: lease, prefix of tag keys, soft and hard TTL in ms, value, tags, etag,
-- crc, and how many absent things may be remembered (0: this one exists). Reply: stored, late, purged or foreign tag.

if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 'late' end
redis.call('DEL', KEYS[2])
local seq = tonumber(string.match(ARGV[1], ':(%d+)$'))
for tag in string.gmatch('* ' .. ARGV[6], '%S+') do
  local purged = redis.pcall('GET', ARGV[2] .. tag)
  if purged and not tonumber(purged) then -- it may have taken the place of a purge: this is another one
    redis.call('SET', ARGV[2] .. tag, redis.call('INCR', KEYS[4]))
    return 'foreign tag'
  end
  if purged and tonumber(purged) >= seq then return 'purged' end
end

local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('DEL', KEYS[1]) -- whatever was there, of whatever type
redis.call('HSET', KEYS[1], 'value', ARGV[5], 'tags', ARGV[6], 'etag', ARGV[7], 'crc', ARGV[8],
  'soft_ms', now_ms + ARGV[3], 'seq', seq, 'filled_ms', now_ms)
redis.call('PEXPIRE', KEYS[1], ARGV[4])

local most_absent = tonumber(ARGV[9])
if most_absent > 0 then -- whoever asks for made-up names fills this list, not the memory
  redis.call('ZADD', KEYS[3], seq, KEYS[1])
  if redis.call('ZCARD', KEYS[3]) > most_absent then
    redis.call('DEL', redis.call('ZPOPMIN', KEYS[3])[1])
  end
end
return 'stored'
