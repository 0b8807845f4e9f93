-- What all replicas share, as it stands: the first part of every script. It changes nothing.
--
-- KEYS  1 state (hash)    2 ring (list): times of the last grants, newest first
--       3 live, 4 backfill tickets (zsets): who waits, in order of arrival
--       5 replicas (zset): name and quota of each by its last sign of life    6 incidents (list): JSON, newest first
-- ARGV  1 quota (JSON, see quota.ts)
--       2 now in ms; empty for the server's own clock (tests alone pass a time)
--       3 name of the replica
--
-- Every time is in ms on the server's clock. Fields of the state: inc (id of this memory), promised turns due:LANE:REPLICA, and
--   slot (when the next call of an even pace is due)  last (newest grant)
--   blind (until when calls may have been made that this memory knows nothing of)
--   head (after a loss: when replicas have had the time to repeat a cool-down; 0: they had it)  asked (last question of any)
--   cool (end of the cool-down)  cooled (all cool-downs together)  liveRun (live grants in a row while backfill waited)
--   seq (tickets given)  lost (turns lost)
--   learned (part of the limits that went well before the last 429; 0: all)  refused (when that 429 became known)
-- and what headers announced: seen (grant of the call they answered)  said (until when they count)  said limit as a part of
--   ours: cap  left (calls left)  foreign (calls of others), foreignRate (per ms)  stretch (of the slot)
--   resets, resetSince, resetUntil (the announced reset, first and last time it was)  fixed (1: resets are those of a fixed
--   window)  credit (calls left until it resets)

local FIELDS = {
  'slot', 'last', 'blind', 'head', 'asked', 'cool', 'cooled', 'liveRun', 'seq', 'lost', 'learned', 'refused', 'seen', 'said',
  'cap', 'left', 'foreign', 'foreignRate', 'stretch', 'resets', 'resetSince', 'resetUntil', 'fixed', 'credit',
}
local ALIVE_MS = 30000 -- a replica that is silent for longer is gone
local STATE, RING, TICKETS, REPLICAS, INCIDENTS = KEYS[1], KEYS[2], { [0] = KEYS[3], [1] = KEYS[4] }, KEYS[5], KEYS[6]

local quota = cjson.decode(ARGV[1])
local now, replica = tonumber(ARGV[2]), ARGV[3]
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + time[2] / 1000
end

local s, stored = {}, redis.call('HMGET', STATE, 'inc', unpack(FIELDS))
local inc = stored[1]
for at, field in ipairs(FIELDS) do s[field] = tonumber(stored[at + 1]) or 0 end

-- While replicas with different quotas run side by side (a rolling change, or one in mid-run), all of their limits are kept.
local slotMs, spacingMs, windows, alive, outdated = quota.slotMs, quota.spacingMs, {}, 0, nil
for _, window in ipairs(quota.windows) do windows[#windows + 1] = window end
for _, member in ipairs(redis.call('ZRANGEBYSCORE', REPLICAS, now - ALIVE_MS, '+inf')) do
  local name, text = string.match(member, '^(%S+) (.*)$')
  if name == replica and text ~= ARGV[1] then
    outdated = member
  else
    alive = alive + 1
    if text ~= ARGV[1] and not windows[text] then
      local other = cjson.decode(text)
      windows[text] = true
      slotMs, spacingMs = math.max(slotMs, other.slotMs), math.max(spacingMs, other.spacingMs)
      for _, window in ipairs(other.windows) do windows[#windows + 1] = window end
    end
  end
end

local ringLength, longestMs = 0, 1000
for _, window in ipairs(windows) do
  ringLength = math.max(ringLength, window.limit)
  longestMs = math.max(longestMs, window.spanMs)
end

-- Grants after `time`; the ring is ordered, so half of it can be ruled out at each look.
local function grantedSince(time)
  local low, high = 0, redis.call('LLEN', RING)
  while low < high do
    local middle = math.floor((low + high) / 2)
    if tonumber(redis.call('LINDEX', RING, middle)) > time then low = middle + 1 else high = middle end
  end
  return low
end

-- The part of the limits in force. After a 429 it comes back along a cubic curve: level around what went well, then faster.
local function share()
  local part = 1
  if s.learned > 0 then
    local passed = math.max(0, now - math.max(s.refused, s.cool)) / quota.plateauMs
    part = s.learned * (1 + 0.03 * (passed - 1) ^ 3)
  end
  if now < s.said then part = math.min(part, s.cap) end
  return math.max(quota.floor, math.min(1, part))
end

local function isInFixedWindow() return s.fixed == 1 and now < s.said and now < s.resets end

-- The time between two calls. In a fixed window that others use too, what they will leave us is spread over its rest.
local function pace()
  local paceMs = slotMs / share()
  if now < s.said then paceMs = math.max(paceMs, slotMs * s.stretch) end
  if not isInFixedWindow() or s.foreign <= 3 then return paceMs end
  local leftMs = s.resets - now
  return math.max(paceMs, math.min(slotMs / quota.floor, leftMs / math.max(1, s.credit - s.foreignRate * leftMs)))
end
