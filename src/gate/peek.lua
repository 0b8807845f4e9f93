-- Looks at the shared state without touching it.
--
-- KEYS, ARGV  as state.lua
-- Output      JSON: cooldownLeftMs, cooldownTotalMs, slotMs, share, replicas, lostTurns, used (calls granted in the last perMs
--             of each window), announced { remaining, foreign, resetsInMs } if anything was; then the incidents, each in JSON

local used = {}
for at, window in ipairs(quota.windows) do used[at] = grantedSince(now - window.perMs) end

local leftMs = math.max(0, s.cool - now)
local state = {
  cooldownLeftMs = math.ceil(leftMs),
  cooldownTotalMs = math.ceil(math.max(0, s.cooled - leftMs)),
  slotMs = pace(),
  share = slotMs > 0 and math.min(1, slotMs / pace()) or 1,
  replicas = alive,
  lostTurns = s.lost,
  used = used,
}
if now < s.said then
  local resetsInMs = isInFixedWindow() and s.resets - now or cjson.null
  state.announced = { remaining = s.left, foreign = s.foreign, resetsInMs = resetsInMs }
end
return { cjson.encode(state), unpack(redis.call('LRANGE', INCIDENTS, 0, -1)) }
