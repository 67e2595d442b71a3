-- Reads an entry and hands out at most one lease for it. KEYS: entry, lease, clock.
-- ARGV: lease in ms, prefix of tag keys. Reply: state, ms until the soft expiry, lease, then of a valid entry value, tags.
-- States: fresh; compute and refresh (the caller holds the lease); wait and stale (somebody else does).

local entry = redis.pcall('HMGET', KEYS[1], 'value', 'tags', 'soft_ms', 'seq')
if entry.err then entry = {} end -- of a type that is not ours: a miss, and the fill replaces it
local value, tags, soft_ms, seq = entry[1], entry[2], tonumber(entry[3]), tonumber(entry[4])
local valid = value and tags and soft_ms and seq
if valid then
  local purges = { ARGV[2] .. '*' }
  for tag in string.gmatch(tags, '%S+') do purges[#purges + 1] = ARGV[2] .. tag end
  for _, purged in ipairs(redis.call('MGET', unpack(purges))) do
    if purged and (tonumber(purged) or seq) >= seq then valid = false end
  end
end

local time = redis.call('TIME')
local left_ms = valid and soft_ms - (time[1] * 1000 + math.floor(time[2] / 1000)) or 0
if left_ms > 0 then return { 'fresh', left_ms, '', value, tags } end

local lease, state = '', valid and 'stale' or 'wait'
if redis.call('PTTL', KEYS[2]) < 0 then -- none, or something foreign: a lease always ends
  redis.call('SET', KEYS[3], time[1] .. string.format('%06d', time[2]), 'NX') -- a clock that was lost repeats no time
  lease = string.format('%.0f', redis.call('INCR', KEYS[3]))
  redis.call('SET', KEYS[2], lease, 'PX', ARGV[1])
  state = valid and 'refresh' or 'compute'
end
if valid then return { state, 0, lease, value, tags } end
return { state, 0, lease }
