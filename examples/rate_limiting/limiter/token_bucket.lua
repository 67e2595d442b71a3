-- KEYS: one bucket each; its value is the time it is full: microseconds since 2025, 4 digits of ticks.
-- ARGV: now in those microseconds or '' for the server's clock; then for each bucket, in ticks (see
-- policy.py): capacity, charge, p, q, and 1 for a shadow. Reply: allowed, remaining, retry_after_us,
-- full_after_us for each.

local now_us, spare_ms = tonumber(ARGV[1]), 86400000 -- keys expire by the server's clock alone
if not now_us then
  local time = redis.call('TIME')
  now_us, spare_ms = (time[1] - 1735689600) * 1000000 + time[2], 1
end

local values = redis.call('MGET', unpack(KEYS)) -- a key of another type reads as none
local buckets, all_allow = {}, true
for i = 1, #KEYS do
  local capacity, charge, p, q, shadow = unpack(ARGV, 5 * i - 3, 5 * i + 1)
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
  local excess = missing + charge - capacity
  all_allow = all_allow and (excess <= 0 or shadow == '1')
  buckets[i] = { capacity, charge, p, q, missing, excess, broken }
end

local reply = {}
for i = 1, #KEYS do
  local capacity, charge, p, q, missing, excess, broken = unpack(buckets[i])
  local allowed = excess <= 0
  local charged = all_allow and allowed
  if charged then missing = missing + charge end
  local full_after_us = math.ceil(missing / p)
  if charge > 0 and (charged or broken) then
    local ticks = missing % p
    local value = string.format('%d%04d', now_us + (missing - ticks) / p, ticks)
    redis.call('SET', KEYS[i], value, 'PX', math.ceil(full_after_us / 1000) + spare_ms)
  end
  reply[4 * i - 3] = allowed and 1 or 0
  reply[4 * i - 2] = math.floor((capacity - missing) / q)
  reply[4 * i - 1] = allowed and 0 or math.ceil(excess / p)
  reply[4 * i] = full_after_us
end
return reply
