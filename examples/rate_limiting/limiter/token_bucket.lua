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
local lacks, excess, all_allow = {}, {}, true
for i = 1, #KEYS do
  local a, value, missing = 5 * i - 3, values[i], 0
  local capacity, charge, p = tonumber(ARGV[a]), tonumber(ARGV[a + 1]), tonumber(ARGV[a + 2])
  local full_us = value and tonumber(string.sub(value, 1, -5))
  if full_us then
    missing = (full_us - now_us) * p + math.min(tonumber(string.sub(value, -4)) or 0, p - 1)
    if not (missing > 0) then missing = 0 end
  end
  lacks[i] = missing
  excess[i] = math.min(missing, capacity) + charge - capacity
  all_allow = all_allow and (excess[i] <= 0 or ARGV[a + 4] == '1')
end

local reply = {}
for i = 1, #KEYS do
  local a, r = 5 * i - 3, 4 * i - 3
  local capacity, charge, p = tonumber(ARGV[a]), tonumber(ARGV[a + 1]), tonumber(ARGV[a + 2])
  -- A bucket that lacks more than it holds: the clock went back, or the policy shrank. Unrepaired it
  -- would refuse until the clock has caught up, however often Retry-After was obeyed.
  local broken = lacks[i] > capacity
  local missing = broken and capacity or lacks[i]
  local charged = all_allow and excess[i] <= 0
  if charged then missing = missing + charge end
  local full_after_us = math.ceil(missing / p)
  if charge > 0 and (charged or broken) then
    local ticks = missing % p
    local value = string.format('%d%04d', now_us + (missing - ticks) / p, ticks)
    redis.call('SET', KEYS[i], value, 'PX', math.ceil(full_after_us / 1000) + spare_ms)
  end
  reply[r] = excess[i] <= 0 and 1 or 0
  reply[r + 1] = math.floor((capacity - missing) / ARGV[a + 3])
  reply[r + 2] = excess[i] > 0 and math.ceil(excess[i] / p) or 0
  reply[r + 3] = full_after_us
end
return reply
