-- What was spent of a budget before, as one source (a ledger) knows it: once for each source, by process.
-- ARGV: epoch source ttl_ms [process amount …]
-- A process that has stated itself knows better.
if call('GET', EPOCH) ~= ARGV[1] then return 'epoch' end
local source, ttl_ms = ARGV[2], tonumber(ARGV[3])
if call('HSETNX', C, 'e:' .. source, '1') == 0 then return 'known' end
for index = 4, #ARGV, 2 do
  local process, amount = ARGV[index], tonumber(ARGV[index + 1])
  local before = field('b:' .. process)
  if amount > before and call('HEXISTS', C, 's:' .. process) == 0 then
    add('used', amount - before)
    call('HSET', C, 'b:' .. process, int(amount))
  end
end
if ttl_ms > 0 then call('PEXPIRE', C, ttl_ms) end
return 'ok'
