-- What is remembered, and the server that says so: read in one step, since another server may answer the next question.
-- KEYS: the epoch's key, then one key an entity, some thousand at most.
-- Output: this server's run id, the epoch in force, and one value an entity; the latter two may be missing.
local run = string.match(redis.call("INFO", "server"), "run_id:(%w+)")
return { run, unpack(redis.call("MGET", unpack(KEYS))) }
