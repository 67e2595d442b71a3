-- Reads an entry and hands out at most one lease for it. KEYS: entry, lease, clock.
-- ARGV: token, lease in ms, prefix of tag keys, longest soft TTL in ms. Reply: state, ms until the soft expiry, lease,
-- what was odd, then of a valid entry value, tags, etag, crc.
-- States: fresh; compute and refresh (the caller holds the lease); wait and stale (somebody else does).

local entry = redis.pcall('HMGET', KEYS[1], 'value', 'tags', 'etag', 'crc', 'soft_ms', 'seq')
if entry.err then entry = {} end
local value, tags, etag, crc = entry[1], entry[2], entry[3], entry[4]
local soft_ms, seq = tonumber(entry[5]), tonumber(entry[6])
local valid, oddity = value and tags and etag and crc and soft_ms and seq, ''
if not valid and redis.call('EXISTS', KEYS[1]) == 1 then -- a foreign value: removed, so that it is reported once
  oddity = 'foreign'
  redis.call('DEL', KEYS[1])
end
if valid then
  for tag in string.gmatch('* ' .. tags, '%S+') do
    local purged = redis.pcall('GET', ARGV[3] .. tag)
    if purged and (tonumber(purged) or seq) >= seq then valid = false end
  end
end

local time = redis.call('TIME')
local left_ms = valid and soft_ms - (time[1] * 1000 + math.floor(time[2] / 1000)) or 0
if left_ms > tonumber(ARGV[4]) then -- the clock went back: renew
  left_ms, oddity = 0, 'ahead of the clock'
end
if left_ms > 0 then return { 'fresh', left_ms, '', oddity, value, tags, etag, crc } end

local lease = ''
local state = valid and 'stale' or 'wait'
if redis.call('PTTL', KEYS[2]) < 0 then -- none, or something foreign: a lease always ends
  lease = ARGV[1] .. ':' .. redis.call('INCR', KEYS[3])
  redis.call('SET', KEYS[2], lease, 'PX', ARGV[2])
  state = valid and 'refresh' or 'compute'
end
if valid then return { state, 0, lease, lease ~= '' and oddity or '', value, tags, etag, crc } end
return { state, 0, lease, oddity }
