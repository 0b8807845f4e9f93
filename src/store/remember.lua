-- Remembers what Sell accepted, all of a batch in one step: MSET with a life time, which Redis does not have.
-- KEYS: the epoch's key, then one key an entity.
-- ARGV: life time in milliseconds; the epoch that begins now, or "" when it goes on; for each entity "1" if its value only
--       fills a gap, else "0"; then one value an entity.
-- Output: the number of entities.
-- The new epoch is written first: no fingerprint is ever stored under an epoch that did not begin.
if ARGV[2] ~= "" then
  redis.call("SET", KEYS[1], ARGV[2], "PX", ARGV[1])
end
for i = 2, #KEYS do
  if string.sub(ARGV[3], i - 1, i - 1) == "1" then
    redis.call("SET", KEYS[i], ARGV[i + 2], "PX", ARGV[1], "NX")
  else
    redis.call("SET", KEYS[i], ARGV[i + 2], "PX", ARGV[1])
  end
end
return #KEYS - 1
