-- Charges the buckets of KEYS in ticks of 1/p microsecond, all of them or none. A bucket is the time at
-- which it is full: microseconds since 2025, and four digits of ticks.
-- ARGV: now in those microseconds, or '' for the server's clock; then for each bucket, in ticks (see
-- policy.py): capacity, charge, p, and 1 for a shadow. Reply for each: by how many ticks the charge
-- exceeds what the bucket holds; 0 and less is allowed.

local now_us, spare_ms = tonumber(ARGV[1]), 86400000 -- keys expire by the server's clock alone
if not now_us then
  local time = redis.call('TIME')
  now_us, spare_ms = (time[1] - 1735689600) * 1000000 + time[2], 1
end

local values = redis.call('MGET', unpack(KEYS)) -- a key of another type reads as none
local buckets, reply, all_allow = {}, {}, true
for i = 1, #KEYS do
  local capacity, charge, p, shadow = unpack(ARGV, 4 * i - 2, 4 * i + 1)
  capacity, charge, p = tonumber(capacity), tonumber(charge), tonumber(p)
  local value, missing = values[i], 0
  local full_us = value and tonumber(string.sub(value, 1, -5))
  if full_us then
    local ticks = math.min(tonumber(string.sub(value, -4)) or 0, p - 1)
    missing = (full_us - now_us) * p + ticks
    if not (missing > 0) then missing = 0 end -- full since then; also for 'nan', if somebody wrote it
  end
  -- A bucket that lacks more than it holds: the clock went back, or the policy shrank. Unrepaired it
  -- would refuse until the clock has caught up, however often Retry-After was obeyed.
  local broken = missing > capacity
  if broken then missing = capacity end
  reply[i] = missing + charge - capacity
  all_allow = all_allow and (reply[i] <= 0 or shadow == '1')
  buckets[i] = { charge, p, missing, broken }
end

for i = 1, #KEYS do
  local charge, p, missing, broken = unpack(buckets[i])
  local charged = all_allow and reply[i] <= 0
  if charge > 0 and (charged or broken) then
    if charged then missing = missing + charge end
    local ticks = missing % p
    local value = string.format('%d%04d', now_us + (missing - ticks) / p, ticks)
    redis.call('SET', KEYS[i], value, 'PX', math.ceil(missing / p / 1000) + spare_ms)
  end
end
return reply
