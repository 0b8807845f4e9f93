-- Remembers what Sell accepted, all of a batch in one step: MSET with a life time, which Redis does not have.
-- KEYS: the epoch's key, then one key an entity.
-- ARGV: life time in milliseconds; "keep" to write in an epoch as it is, "join" to write in the one in force and to begin one only
--       if none of this server is, "begin" to begin one; the epoch to keep, else a unique text to make one of; for each entity "1"
--       if its value only fills a gap, else "0"; then one value an entity.
-- Output: the epoch, `<run id>:<unique text>`, that the values were written in. They stand behind it: `<epoch>|<value>`.
-- The epoch is settled first: no fingerprint is ever stored under an epoch that did not begin.
local how, epoch = ARGV[2], ARGV[3]
if how ~= "keep" then
  local run = string.match(redis.call("INFO", "server"), "run_id:(%w+)") .. ":"
  local current = how == "join" and redis.call("GET", KEYS[1])
  if current and string.sub(current, 1, #run) == run then
    epoch = current
  else
    epoch = run .. epoch
    redis.call("SET", KEYS[1], epoch, "PX", ARGV[1])
  end
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
