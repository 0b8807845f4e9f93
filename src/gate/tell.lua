-- Brings news and shows that this replica lives.
--
-- KEYS, ARGV  as state.lua and open.lua
-- Output      as take.lua; granted is always 0, and so is the wait

return finish(false, 0, '')
