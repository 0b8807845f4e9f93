-- Opens the shared state for take.lua and tell.lua: finds out whether it was lost, takes in what the replica brings, and shows
-- that the replica lives. Nothing is ever refunded, and the cool-down only grows.
--
-- ARGV  4 news (JSON): endsAt and leftMs of the cool-down the replica knows of (its end as told by an earlier reply, "0" if
--         none did); and, if there is any: returns (it sent calls while it could not reach us), refused { grantedAgoMs,
--         hintMs, source }, seen { grantedAgoMs, limit, remaining, resetMs }

local TTL_MS = 25 * 3600 * 1000 -- longer than the longest cool-down, so an idle night is no cold start
local SAME_MS = 250             -- a repeated cool-down that is off by no more is the one we know
local SILENCE_MS = 500          -- a cool-down is repeated that often

-- Cold: the state was lost, or its ring was, or the clock went back further than any window reaches. What was granted before
-- is unknown, so nothing is granted for a while; that is also the time for replicas to repeat a cool-down they know of.
local cold = not inc
  or (ringLength > 0 and s.last > 0 and redis.call('EXISTS', RING) == 0)
  or s.last - now > longestMs
if cold then
  redis.call('DEL', STATE, RING, TICKETS[0], TICKETS[1], REPLICAS)
  for _, field in ipairs(FIELDS) do s[field] = 0 end
  s.blind, s.slot, s.head, s.asked, alive = now, now + quota.coldMs, now + quota.coldMs, now, 0
  inc = replica .. ':' .. string.format('%.3f', now)
end

-- A clock that went back a little stands still.
now = math.max(now, s.last)

-- While we could not be reached nobody could repeat anything: that time does not count. Replicas ask often meanwhile (see
-- finish), so a silence means just that.
if s.head > 0 and now - s.asked > SILENCE_MS then
  s.head = now + quota.coldMs
  s.slot = math.max(s.slot, s.head)
elseif now >= s.head then
  s.head = 0
end
s.asked = now

local news = cjson.decode(ARGV[4])
if news.refused then learn(news.refused) end
if news.seen then see(news.seen) end
if news.leftMs > 0 then
  -- The end as we told it, taken word for word, can be repeated any number of times without growing. It is not trusted when
  -- it disagrees with the time left: then this server's clock is another one or was set.
  local ends = tonumber(news.endsAt)
  if math.abs(ends - (now + news.leftMs)) > SAME_MS then ends = now + news.leftMs end
  if ends > s.cool then
    s.cooled = s.cooled + ends - math.max(s.cool, now)
    s.cool = ends
  end
  s.slot = math.max(s.slot, s.cool) -- resumes evenly paced, without credit
end
-- Calls of its own share are not in the ring: as after a loss, a pause keeps the sum within the limit.
if news.returns then s.blind, s.slot = now, math.max(s.slot, now + quota.coldMs) end

redis.call('ZREMRANGEBYSCORE', REPLICAS, '-inf', now - ALIVE_MS)
if outdated then redis.call('ZREM', REPLICAS, outdated) end
alive = alive + redis.call('ZADD', REPLICAS, now, replica .. ' ' .. ARGV[1])

-- Stores the state and gives the reply of take and tell.
local function finish(granted, waitMs, held)
  local fields = {}
  for _, field in ipairs(FIELDS) do
    fields[#fields + 1] = field
    fields[#fields + 1] = s[field]
  end
  redis.call('HSET', STATE, 'inc', inc, unpack(fields))
  for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, TTL_MS) end
  if now < s.head then waitMs = math.min(waitMs, SILENCE_MS / 2) end
  return {
    granted and 1 or 0,
    math.ceil(waitMs),
    string.format('%.3f', s.cool),
    math.ceil(math.max(0, s.cool - now)),
    alive,
    inc,
    cold and 1 or 0,
    string.format('%.3f', pace()),
    incident,
    held,
  }
end
