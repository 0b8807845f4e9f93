-- Looks at the shared state without touching it.
--
-- KEYS    as open.lua
-- ARGV    1 quota (JSON): windows [{perMs}]    2 now in ms; empty for the server's own clock
-- Output  { ms left of the cool-down, replicas alive, calls granted within the last perMs of each window ... }

local ALIVE_MS = 30000
local quota = cjson.decode(ARGV[1])
local now = tonumber(ARGV[2])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + time[2] / 1000
end

-- The ring is ordered, so half the entries can be ruled out at each look.
local function grantedSince(since)
  local low, high = 0, redis.call('LLEN', KEYS[2])
  while low < high do
    local middle = math.floor((low + high) / 2)
    if tonumber(redis.call('LINDEX', KEYS[2], middle)) > since then low = middle + 1 else high = middle end
  end
  return low
end

local cool = tonumber(redis.call('HGET', KEYS[1], 'cool') or 0)
local reply = { math.ceil(math.max(0, cool - now)), redis.call('ZCOUNT', KEYS[5], now - ALIVE_MS, '+inf') }
for _, window in ipairs(quota.windows) do reply[#reply + 1] = grantedSince(now - window.perMs) end
return reply
