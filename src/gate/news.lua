-- What a replica brings from the server: a refusal, and what headers announced. Both may only lower the pace.

local INCIDENTS_MAX = 20
local incident = ''

-- A 429. Calls that were granted before it became known belong to it, so that it lowers the limits once, whoever hears of it
-- how often.
local function learn(refused)
  if now - refused.grantedAgoMs <= s.refused then return end
  local told, paced, accepted = {}, 0, 1
  for at, window in ipairs(quota.windows) do
    local used = grantedSince(now - window.perMs)
    told[at] = { limit = math.floor(window.limit * share()), perMs = window.perMs, used = used }
    if window.spanMs / window.limit > paced then
      paced, accepted = window.spanMs / window.limit, (used - 1) / window.limit
    end
  end
  local foreign = now < s.said and s.foreign or cjson.null
  incident = cjson.encode({
    atMs = now, hintMs = refused.hintMs or cjson.null, source = refused.source, windows = told, foreign = foreign,
  })
  redis.call('LPUSH', INCIDENTS, incident)
  redis.call('LTRIM', INCIDENTS, 0, INCIDENTS_MAX - 1)
  if quota.learns then s.learned = math.max(quota.floor, math.min(1, accepted)) end
  s.refused = now
end

-- The window that is announced: with a limit near ours, else the only one. Anything else may be about another quota.
local function announcedWindow(limit)
  if not limit then return #quota.windows == 1 and quota.windows[1] or nil end
  for _, window in ipairs(quota.windows) do
    if math.abs(limit - window.full) <= window.full / 4 then return window end
  end
end

-- Resets are those of a fixed window once one stood still for a while, came, and gave calls back.
local function seeReset(resets, left, limit)
  if math.abs(resets - s.resets) <= 2000 then
    s.resetUntil = now
    return
  end
  local came, stood = now >= s.resets - 2000, s.resetUntil - s.resetSince >= 5000
  -- Half of what was used came back at once: a counter that slides gives back a few at a time.
  if not came then s.fixed = 0 elseif stood then s.fixed = left - s.left > (limit - s.left) / 2 and 1 or 0 end
  s.resets, s.resetSince, s.resetUntil = resets, now, now
end

-- `seen` is what the answer to the call granted so long ago announced. Its word counts for one window.
local function see(seen)
  local window, seenAt = announcedWindow(seen.limit), now - seen.grantedAgoMs
  if not window or not seen.remaining or seenAt < s.seen then return end
  if now >= s.said then s.stretch = 1 end
  if seen.resetMs and seen.resetMs <= window.perMs + 2000 then
    seeReset(now + seen.resetMs, seen.remaining, seen.limit or window.full)
  else
    s.fixed, s.resets = 0, 0
  end
  local limit = seen.limit or window.full
  local since = s.fixed == 1 and s.resets - window.perMs or seenAt - window.perMs
  local later = grantedSince(seenAt)
  local own = grantedSince(since) - later
  s.foreign = math.max(0, limit - seen.remaining - own)
  s.foreignRate = s.foreign / math.max(window.perMs / 10, seenAt - since)
  s.cap = math.min(1, limit / window.full)
  s.credit = seen.remaining - later
  -- Where no fixed window was seen, the calls left are a level: at its bottom a stop would cost more than a slower pace.
  if s.fixed == 1 then
    s.stretch = 1
  elseif seen.remaining == 0 then
    s.stretch = math.min(1 / quota.floor, s.stretch * 1.03)
  elseif seen.remaining >= 2 then
    s.stretch = math.max(1, s.stretch / 1.03)
  end
  s.seen, s.left, s.said = seenAt, seen.remaining, now + window.perMs
end
