-- Opens the state that all replicas share: the first part of take.lua and tell.lua, which are joined to it when loaded.
--
-- KEYS  1 state (hash)    2 ring (list): times of the last grants, newest first
--       3 live, 4 backfill tickets (zsets): who waits, in order of arrival    5 replicas (zset): last sign of life
-- ARGV  1 quota (JSON): slotMs, catchUp, spacingMs, coldMs, liveRun, windows [{limit, spanMs}]
--       2 now in ms; empty for the server's own clock (tests alone pass a time)
--       3 name of the replica
--       4, 5 the cool-down this replica knows of: its end as told by an earlier reply (0: unknown), and the ms left of it
--
-- State: slot (when the next call of an even pace is due), last (newest grant), cool (end of the cool-down), liveRun (live
-- grants in a row while backfill waited), seq (tickets given), inc (id of this state), due:LANE:REPLICA (promised turns).
-- Every time is in ms on the server's clock. Nothing is ever refunded, and `cool` only grows.

local TTL_MS = 25 * 3600 * 1000 -- longer than the longest cool-down, so an idle night is no cold start
local ALIVE_MS = 30000          -- a replica that is silent for longer is gone
local SAME_MS = 250             -- a repeated cool-down that is off by no more is the one we know
local STATE, RING, TICKETS, REPLICAS = KEYS[1], KEYS[2], { [0] = KEYS[3], [1] = KEYS[4] }, KEYS[5]

local quota = cjson.decode(ARGV[1])
local now = tonumber(ARGV[2])
local replica = ARGV[3]

if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + time[2] / 1000
end

local ringLength, longestMs = 0, 1000
for _, window in ipairs(quota.windows) do
  ringLength = math.max(ringLength, window.limit)
  longestMs = math.max(longestMs, window.spanMs)
end

local stored = redis.call('HMGET', STATE, 'slot', 'last', 'cool', 'liveRun', 'seq', 'inc')
local slot, last, cool = tonumber(stored[1]) or 0, tonumber(stored[2]) or 0, tonumber(stored[3]) or 0
local liveRun, seq, inc = tonumber(stored[4]) or 0, tonumber(stored[5]) or 0, stored[6]

-- Cold: the state was lost, or its ring was, or the clock went back further than any window reaches. What was granted before
-- is unknown, so nothing is granted for a while; that is also the time for replicas to repeat a cool-down they know of.
local cold = not inc
  or (ringLength > 0 and last > 0 and redis.call('EXISTS', RING) == 0)
  or last - now > longestMs
if cold then
  redis.call('DEL', unpack(KEYS))
  slot, last, cool, liveRun, seq = now + quota.coldMs, 0, 0, 0, 0
  inc = replica .. ':' .. string.format('%.3f', now)
end

-- A clock that went back a little stands still.
now = math.max(now, last)

local leftMs = tonumber(ARGV[5])
if leftMs > 0 then
  -- The end as we told it, taken word for word, can be repeated any number of times without growing. It is not trusted when
  -- it disagrees with the time left: then this server's clock is another one or was set.
  local ends = tonumber(ARGV[4])
  if math.abs(ends - (now + leftMs)) > SAME_MS then ends = now + leftMs end
  cool = math.max(cool, ends)
  slot = math.max(slot, cool) -- resumes evenly paced, without credit
end

-- While replicas with different limits run side by side (a rolling change), all keep to the slowest pace.
local slotMs, alive = quota.slotMs, 0
redis.call('ZREMRANGEBYSCORE', REPLICAS, '-inf', now - ALIVE_MS)
redis.call('ZADD', REPLICAS, now, replica .. ' ' .. quota.slotMs)
for _, member in ipairs(redis.call('ZRANGE', REPLICAS, 0, -1)) do
  slotMs, alive = math.max(slotMs, tonumber(string.match(member, '%S+$'))), alive + 1
end

-- Stores the state and gives the reply of take and tell.
local function finish(granted, waitMs)
  redis.call('HSET', STATE, 'slot', slot, 'last', last, 'cool', cool, 'liveRun', liveRun, 'seq', seq, 'inc', inc)
  for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, TTL_MS) end
  return {
    granted and 1 or 0,
    math.ceil(waitMs),
    string.format('%.3f', cool),
    math.ceil(math.max(0, cool - now)),
    alive,
    inc,
    cold and 1 or 0,
  }
end
