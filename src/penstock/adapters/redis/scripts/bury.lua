-- A holder has ended, or needs this counter no more.
-- ARGV: epoch holder told
--       told: all that it ever used of a budget; '' where nobody knows: then what it held counts as used
if call('GET', EPOCH) ~= ARGV[1] then return 'epoch' end
local holder = ARGV[2]
local known = call('HMGET', C, 's:' .. holder, 'x:' .. holder, 'kind', 'width')
if not known[3] then
  call('SREM', MINE, string.sub(C, #'penstock:c:' + 1))
  return 'nothing'
end
if known[3] == 'budget' then
  local before = field('b:' .. holder)
  local told = tonumber(ARGV[3]) or before + math.max(0, tonumber(call('HGET', L, holder) or 0))
  add('used', told - before)
  call('HSET', C, 'b:' .. holder, int(told))
end
release(holder, tonumber(known[4]))
if known[1] and not known[2] then add('n', -1) end
forget(holder)
call('SREM', MINE, string.sub(C, #'penstock:c:' + 1))
nudge(holder)
return 'ok'
