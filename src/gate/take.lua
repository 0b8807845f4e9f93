-- Asks for the right to start one call now; otherwise says when to ask again. Whoever waits holds a ticket, so that turns go
-- round by arrival and not to whoever is closest to Redis. A grant is valid now and is not taken back.
--
-- KEYS, ARGV  as state.lua and open.lua, and
-- ARGV        5 lane: 0 live, 1 backfill    6 "1": more calls of this lane wait in this replica
-- Output      { granted 1|0, ms until this replica's turn, end of the cool-down, ms left of it, replicas alive,
--             id of the state, 1 if this very call found no state, ms between two calls, the incident in JSON if the news
--             were the first of it, and what most of the wait is for (HELD_BY of limiter.ts; empty: there is none) }

local lane, more = tonumber(ARGV[5]), ARGV[6] == '1'

-- After a quiet time a few calls may leave together; the slots they did not wait for pass after them.
local function mayBurst()
  local quietMs = math.max(longestMs, quota.coldMs)
  if quota.burst == 1 or share() < 1 or now < math.max(s.blind, s.cool) + quietMs then return false end
  local granted = redis.call('LINDEX', RING, quota.burst - 1)
  return not granted or tonumber(granted) + quietMs <= now
end

-- When the next call may start, and what holds it until then.
local function opensAt()
  local opens, held = s.cool, 'cool-down'
  local function notBefore(time, reason)
    if time > opens + 1 then held = reason end -- at an even pace a full window opens with the slot
    opens = math.max(opens, time)
  end
  notBefore(s.last + spacingMs, 'pace')
  if not mayBurst() then notBefore(s.slot, 'pace') end
  for _, window in ipairs(windows) do
    local granted = redis.call('LINDEX', RING, math.max(1, math.floor(window.limit * share())) - 1)
    if granted then notBefore(tonumber(granted) + window.spanMs, 'window') end
  end
  -- Another answer may tell of calls that are left before the reset comes.
  if isInFixedWindow() and s.credit < 1 then notBefore(math.min(s.resets, now + 5000), 'announced') end
  return opens, held
end

local function due(ofLane, who) return 'due:' .. ofLane .. ':' .. who end

local function enter()
  s.seq = s.seq + 1
  redis.call('ZADD', TICKETS[lane], 'NX', s.seq, replica)
end

local function leave(ofLane, who)
  redis.call('ZREM', TICKETS[ofLane], who)
  redis.call('HDEL', STATE, due(ofLane, who))
end

-- Whoever is first and did not come although the gate was open loses its turn, nothing else.
local function dropLate(ofLane, opens)
  while true do
    local first = redis.call('ZRANGE', TICKETS[ofLane], 0, 0)[1]
    if not first or (ofLane == lane and first == replica) then return end
    local promised = tonumber(redis.call('HGET', STATE, due(ofLane, first)) or 0)
    if now <= math.max(promised, opens) + quota.graceMs then return end
    leave(ofLane, first)
    s.lost = s.lost + 1
  end
end

-- How many calls go before this replica's. Live goes first, but after a run of live calls backfill has earned a turn.
local function callsBefore()
  local rank = redis.call('ZRANK', TICKETS[lane], replica)
  local others = redis.call('ZCARD', TICKETS[1 - lane])
  local untilBackfill = math.max(0, quota.liveRun - s.liveRun)
  if lane == 1 then return rank + math.min(others, untilBackfill) end
  return rank + ((others > 0 and rank >= untilBackfill) and 1 or 0)
end

local function promise(opens, held)
  local behindMs = callsBefore() * pace()
  local turn = opens + behindMs
  if behindMs > 0 and behindMs >= opens - now then held = 'queue' end
  if turn <= now then turn = now + math.min(quota.slotMs, quota.graceMs) end -- it is up to the first now
  redis.call('HSET', STATE, due(lane, replica), turn)
  return math.max(1, turn - now), held
end

local opens, held = opensAt()
if not redis.call('ZSCORE', TICKETS[lane], replica) then enter() end
dropLate(0, opens)
dropLate(1, opens)

if now < opens or callsBefore() > 0 then return finish(false, promise(opens, held)) end

leave(lane, replica)
if lane == 1 then
  s.liveRun = 0
elseif redis.call('EXISTS', TICKETS[1]) == 1 then
  s.liveRun = s.liveRun + 1
end
local slot = pace()
s.slot = math.max(s.slot, now - quota.catchUp * slot) + slot
s.last, s.credit = now, s.credit - 1
if ringLength > 0 then
  redis.call('LPUSH', RING, now)
  redis.call('LTRIM', RING, 0, ringLength - 1)
end

if not more then return finish(true, 0, '') end
enter()
return finish(true, promise(opensAt()))
