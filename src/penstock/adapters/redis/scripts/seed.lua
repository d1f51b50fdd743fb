-- What was spent of a budget before, as one source (a ledger) knows it, by process: once for each source and epoch.
-- ARGV: epoch source ttl_ms [process amount …]
-- A process that has stated itself knows better. What the source said in an earlier epoch and does not repeat has
-- become a part of something else that it says.
-- f:process is whose word is believed on a process that cannot speak for itself any more.
if call('GET', EPOCH) ~= ARGV[1] then return 'epoch' end
local source, ttl_ms = ARGV[2], tonumber(ARGV[3])
if call('HGET', C, 'e:' .. source) == ARGV[1] then return 'known' end
call('HSET', C, 'e:' .. source, ARGV[1])
local said = {}
for index = 4, #ARGV, 2 do said[ARGV[index]] = tonumber(ARGV[index + 1]) end
local all = call('HGETALL', C)
for index = 1, #all, 2 do
  local process = string.match(all[index], '^f:(.*)$')
  if process and all[index + 1] == source and not said[process]
    and call('HEXISTS', C, 's:' .. process) == 0 then
    add('used', -field('b:' .. process))
    call('HDEL', C, 'b:' .. process, all[index])
  end
end
for process, amount in pairs(said) do
  local before = field('b:' .. process)
  if amount > before and call('HEXISTS', C, 's:' .. process) == 0 then
    add('used', amount - before)
    call('HSET', C, 'b:' .. process, int(amount))
  end
  call('HSETNX', C, 'f:' .. process, source)
end
if ttl_ms > 0 then call('PEXPIRE', C, ttl_ms) end
return 'ok'
