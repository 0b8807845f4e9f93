-- Counts ERP keys that a route deletes or has created, each once an hour, over all replicas and restarts. The first one beyond
-- the limit trips the brake: a note on the board, by which every replica stops until a person accepts a number.
-- KEYS    1 what was counted, a sorted set of ERP keys by the time they were    2 the board, a hash (see write.lua)
-- ARGV    1 field of the brake's note on the board    2 limit as configured    3 how long an accepted number counts, in ms
--         4... ERP keys
-- Output  { the brake's note, empty when there is none, then for each key 1: within the limit, or 0 }
local HOUR_MS, SAMPLES = 3600000, 5
local field, limit = ARGV[1], tonumber(ARGV[2])
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local note = redis.call("HGET", KEYS[2], field) or ""
local written, text = string.match(note, "^(%d+) (.*)$")
local brake = text and cjson.decode(text) or {}
local revision = tonumber(written) or 0
if brake.state == "accepted" and now < revision + tonumber(ARGV[3]) then
  limit = brake.limit == cjson.null and math.huge or math.max(limit, brake.limit)
end

redis.call("ZREMRANGEBYSCORE", KEYS[1], "-inf", now - HOUR_MS)
local counted = redis.call("ZCARD", KEYS[1])

local function trip(key)
  local samples = redis.call("ZRANGE", KEYS[1], 1 - SAMPLES, -1)
  samples[#samples + 1] = key
  brake = { state = "tripped", limit = limit, samples = samples }
  note = string.format("%.0f %s", math.max(now, revision + 1), cjson.encode(brake))
  redis.call("HSET", KEYS[2], field, note)
end

local reply = {}
for at = 4, #ARGV do
  local key, isWithin = ARGV[at], true
  if brake.state == "tripped" and brake.limit >= limit then
    isWithin = false
  elseif not redis.call("ZSCORE", KEYS[1], key) then
    isWithin = counted < limit
    if isWithin then
      redis.call("ZADD", KEYS[1], now, key)
      counted = counted + 1
    else
      trip(key)
    end
  end
  reply[#reply + 1] = isWithin and 1 or 0
end
redis.call("PEXPIRE", KEYS[1], HOUR_MS)
return { note, unpack(reply) }
