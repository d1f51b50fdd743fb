-- One epoch lasts as long as nothing can have been lost: until the server restarts, fails over or is emptied.
-- KEYS: epoch   ARGV: run id of the server, a random word
-- Answers {epoch, now}; it reads `run id:word:instant of its beginning`
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local found = redis.call('GET', KEYS[1])
if found and string.sub(found, 1, #ARGV[1] + 1) == ARGV[1] .. ':' then return {found, now} end
local made = ARGV[1] .. ':' .. ARGV[2] .. ':' .. string.format('%.0f', now)
redis.call('SET', KEYS[1], made)
return {made, now}
