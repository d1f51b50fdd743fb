-- A holder says all that it has of a counter: when it opens it, and when this server may have forgotten it.
-- ARGV: epoch holder seq kind width ttl_ms sources fresh held told base [part amount …]
--       fresh: what it used since it opened the counter is `told`, and before that `base`, unless more is known; else `told` is all that it ever used
--       sources: ledgers that this holder can ask, apart by a space; the last is its own machine's
-- Answers {word, now, used, leased, told}; `seed`: what they know to be spent before is wanted first
local holder, seq, kind, width, ttl_ms = ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6])
local sources, fresh, held, told, base = ARGV[7], ARGV[8] == '1', tonumber(ARGV[9]), tonumber(ARGV[10]), tonumber(ARGV[11])

local function reply(word)
  return {word, now, field('used'), field('leased'), field('b:' .. holder)}
end

if call('GET', EPOCH) ~= ARGV[1] then return {'epoch', now, 0, 0, 0} end
if call('EXISTS', DEAD) == 1 then return {'dead', now, 0, 0, 0} end
local known = call('HMGET', C, 's:' .. holder, 'x:' .. holder)
if known[1] == seq and not known[2] then return reply('ok') end
local own = ''
if kind == 'budget' then
  for source in string.gmatch(sources, '%S+') do
    if call('HGET', C, 'e:' .. source) ~= ARGV[1] then return reply('seed') end
    own = source
  end
end
-- What is left of a counter that has expired.
if call('EXISTS', C) == 0 then call('DEL', L, Q, W) end
if not known[1] or known[2] then add('n', 1) end
leave(holder)
call('HDEL', C, 'r:' .. holder, 'x:' .. holder)
call('HSET', C, 's:' .. holder, seq, 'g:' .. holder, '-1 -1', 'kind', kind, 'width', width)
call('SADD', MINE, string.sub(C, #'penstock:c:' + 1))
lease(holder, held - tonumber(call('HGET', L, holder) or 0))
if kind == 'rate' then
  pass(width)
  for index = 12, #ARGV, 2 do
    count(tonumber(ARGV[index]), tonumber(ARGV[index + 1]), width)
  end
elseif kind == 'budget' then
  local before = field('b:' .. holder)
  if fresh then told = told + math.max(before, base) end
  add('used', told - before)
  call('HSET', C, 'b:' .. holder, int(told))
  if own ~= '' then call('HSET', C, 'f:' .. holder, own) end
end
if ttl_ms > 0 then
  for index = 2, 5 do call('PEXPIRE', KEYS[index], ttl_ms) end
end
nudge(holder)
return reply('ok')
