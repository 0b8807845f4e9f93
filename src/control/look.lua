-- Reads the board whole, with the time by which its notes are dated.
-- KEYS    1 the board, a hash
-- Output  { milliseconds since 1970 on the server's clock, { field, note, field, note, ... } }
local time = redis.call("TIME")
return { time[1] * 1000 + math.floor(time[2] / 1000), redis.call("HGETALL", KEYS[1]) }
