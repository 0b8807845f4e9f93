-- Remembers what Sell accepted, all of a batch in one step: MSET with a life time, which Redis does not have.
-- KEYS: the epoch's key, then one key an entity.
-- ARGV: life time in milliseconds; an epoch, `<run id>:<unique>`; "begin" to begin it, "join" to begin it only if none of this
--       run id is in force, "keep" to write in it as it is; for each entity "1" if its value only fills a gap, else "0";
--       then one value an entity.
-- Output: the epoch that the values were written in. They stand behind it: `<epoch>|<value>`.
-- The epoch is settled first: no fingerprint is ever stored under an epoch that did not begin.
local epoch = ARGV[2]
local current = ARGV[3] == "join" and redis.call("GET", KEYS[1])
local run = string.match(epoch, "^[^:]*:")
if current and string.sub(current, 1, #run) == run then
  epoch = current
elseif ARGV[3] ~= "keep" then
  redis.call("SET", KEYS[1], epoch, "PX", ARGV[1])
end
for i = 2, #KEYS do
  local value = epoch .. "|" .. ARGV[i + 3]
  if string.sub(ARGV[4], i - 1, i - 1) == "1" then
    redis.call("SET", KEYS[i], value, "PX", ARGV[1], "NX")
  else
    redis.call("SET", KEYS[i], value, "PX", ARGV[1])
  end
end
return epoch
