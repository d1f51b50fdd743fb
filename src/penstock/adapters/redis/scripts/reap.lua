-- A holder is not heard of any more: its slots are free, what it had of a rate counts as used now. What it had of
-- a budget stays held until its machine says what became of it.
-- ARGV: epoch holder
if call('GET', EPOCH) ~= ARGV[1] then return 'epoch' end
local holder = ARGV[2]
local known = call('HMGET', C, 's:' .. holder, 'x:' .. holder, 'kind', 'width')
if not known[1] or known[2] or known[3] == 'budget' then return 'nothing' end
release(holder, tonumber(known[4]))
leave(holder)
call('HDEL', C, 'r:' .. holder)
call('HSET', C, 'x:' .. holder, '1')
add('n', -1)
nudge(holder)
return 'ok'
