-- Charges the buckets of KEYS in ticks of 1/ticks_per_us microsecond, all of them or none. A bucket is the
-- time at which it is full: microseconds since 2025, and four digits of ticks.
-- ARGV: now in those microseconds, or 0 for the server's clock; tokens to charge; then for each bucket,
-- in ticks (see policy.py): capacity, ticks_per_token, ticks_per_us. Reply for each: by how many ticks the
-- charge exceeds what the bucket holds; 0 and less is allowed.

local now_us, spare_ms = tonumber(ARGV[1]), 86400000 -- keys expire by the server's clock alone
if now_us == 0 then
  local time = redis.call('TIME')
  now_us, spare_ms = (time[1] - 1735689600) * 1000000 + time[2], 1
end

local values = redis.call('MGET', unpack(KEYS)) -- a key of another type reads as none
local buckets, reply, all_allow = {}, {}, true
for i = 1, #KEYS do
  local capacity, ticks_per_us = tonumber(ARGV[3 * i]), tonumber(ARGV[3 * i + 2])
  local charge = ARGV[2] * ARGV[3 * i + 1]
  local value, missing = values[i], 0
  local full_us = value and tonumber(string.sub(value, 1, -5))
  if full_us then
    local ticks = math.min(tonumber(string.sub(value, -4)) or 0, ticks_per_us - 1)
    missing = (full_us - now_us) * ticks_per_us + ticks
    if not (missing > 0) then missing = 0 end -- full since then; also for 'nan', if somebody wrote it
  end
  -- A bucket that lacks more than it holds: the clock went back, or the policy shrank. Unrepaired it
  -- would refuse until the clock has caught up, however often Retry-After was obeyed.
  local broken = missing > capacity
  if broken then missing = capacity end
  reply[i] = missing + charge - capacity
  all_allow = all_allow and reply[i] <= 0
  buckets[i] = { charge, ticks_per_us, missing, broken }
end

for i = 1, #KEYS do
  local charge, ticks_per_us, missing, broken = unpack(buckets[i])
  if charge > 0 and (all_allow or broken) then
    if all_allow then missing = missing + charge end
    local ticks = missing % ticks_per_us
    local value = string.format('%d%04d', now_us + (missing - ticks) / ticks_per_us, ticks)
    redis.call('SET', KEYS[i], value, 'PX', math.ceil(missing / ticks_per_us / 1000) + spare_ms)
  end
end
return reply
