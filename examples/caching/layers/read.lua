#!lua flags=allow-oom
-- Reads an entry and hands out at most one lease for it. KEYS: entry, lease, clock. ARGV: lease in ms, prefix of tag keys.
-- Reply: ms until the soft expiry (0: past it), lease (empty: another has it), value and tags (nil: nothing is valid).

local entry = redis.call('HMGET', KEYS[1], 'value', 'tags', 'soft_ms', 'seq')
local value, tags, soft_ms, seq = entry[1], entry[2], tonumber(entry[3]), tonumber(entry[4])
local valid = value and tags and soft_ms and seq
if valid then
  for tag in string.gmatch('* ' .. tags, '%S+') do
    local purged = redis.call('GET', ARGV[2] .. tag)
    if purged and (tonumber(purged) or seq) >= seq then valid = false end
  end
end
if not valid then value, tags, soft_ms = false, false, 0 end

local time = redis.call('TIME')
local left_ms, lease = soft_ms - (time[1] * 1000 + math.floor(time[2] / 1000)), ''
if left_ms > 0 then return { left_ms, lease, value, tags } end
if redis.call('PTTL', KEYS[2]) < 0 then -- none, or something foreign: a lease always ends
  redis.call('SET', KEYS[3], time[1] .. string.format('%06d', time[2]), 'NX') -- a clock that was lost repeats no time
  lease = string.format('%.0f', redis.call('INCR', KEYS[3]))
  redis.call('SET', KEYS[2], lease, 'PX', ARGV[1])
end
return { 0, lease, value, tags }
