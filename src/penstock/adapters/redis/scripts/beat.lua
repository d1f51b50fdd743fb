-- A holder is alive.
-- KEYS: epoch, holders   ARGV: epoch, holder, microseconds after which one counts as lost
-- Answers {word, now, all that are alive, those that are lost}
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return {'epoch', now, {}, {}} end
redis.call('ZADD', KEYS[2], string.format('%.0f', now), ARGV[2])
local edge = string.format('%.0f', now - tonumber(ARGV[3]))
return {
  'ok', now, redis.call('ZRANGEBYSCORE', KEYS[2], edge, '+inf'),
  redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', '(' .. edge)
}
