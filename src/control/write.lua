-- Writes one note on the board. A note is `<revision> <JSON>`; its revision is when it was written, in ms on the server's clock,
-- and never lower than that of the note before it, so that of two the newer one is known whatever was lost in between.
-- KEYS    1 the board, a hash
-- ARGV    1 field    2 JSON; empty: the note goes
--         3 "put" writes over whatever stands there; "swap" only over the revision in 4; "restore" with the revision in 4, and
--           only where nothing newer stands
--         4 revision
-- Output  the revision that was written (of a note that went: that it had); 0: nothing was written
local stored = redis.call("HGET", KEYS[1], ARGV[1])
local standing = stored and tonumber(string.match(stored, "^%d+")) or 0
local how, given = ARGV[3], tonumber(ARGV[4])
if how == "swap" and standing ~= given then return 0 end
if how == "restore" and standing >= given then return 0 end
if ARGV[2] == "" then
  redis.call("HDEL", KEYS[1], ARGV[1])
  return standing
end
local revision = given
if how ~= "restore" then
  local time = redis.call("TIME")
  revision = math.max(time[1] * 1000 + math.floor(time[2] / 1000), standing + 1)
end
redis.call("HSET", KEYS[1], ARGV[1], string.format("%.0f %s", revision, ARGV[2]))
return revision
