-- A holder's turn: what it used and gave back since the last one, and what it wants.
-- ARGV: epoch holder seq kind limit width ttl_ms patient told consumed back least most answered [part amount …]
--       least is -1 where nothing is wanted; width is that of a part, 0 but for rates
-- Answers {word, granted or -1, wait_us (-1: none, -2: never), recalled, now, used, leased, last seq, ahead}
--         ahead: {instant, amount, …} granted besides, to be used from those instants on
local holder, seq, kind, limit, width = ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6])
local ttl_ms, patient, told, consumed = tonumber(ARGV[7]), ARGV[8] == '1', tonumber(ARGV[9]), tonumber(ARGV[10])
local back, least, most, answered = tonumber(ARGV[11]), tonumber(ARGV[12]), tonumber(ARGV[13]), ARGV[14] == '1'
local RECALLED = 'r:' .. holder
local STOPS_ASKING_US = 2000000
local KEEN_US = 100000
local LEAD_US = math.min(20000, width * PARTS / 20)

local function reply(word, granted, wait, last, ahead)
  local recalled = call('HGET', C, RECALLED) == '1' and 1 or 0
  return {word, granted, wait, recalled, now, field('used'), field('leased'), tonumber(last), ahead or {}}
end

if call('GET', EPOCH) ~= ARGV[1] then return {'epoch', -1, -1, 0, now, 0, 0, 0, {}} end
if call('EXISTS', DEAD) == 1 then return {'dead', -1, -1, 0, now, 0, 0, 0, {}} end
local known = call('HMGET', C, 's:' .. holder, 'g:' .. holder, 'x:' .. holder)
if known[1] and known[3] then return reply('reaped', -1, -1, known[1]) end
if not known[1] then return reply('unknown', -1, -1, 0) end
if known[1] == seq then
  local granted, wait, rest = string.match(known[2], '^(-?%d+) (-?%d+)(.*)$')
  local ahead = {}
  for number in string.gmatch(rest, '%d+') do ahead[#ahead + 1] = tonumber(number) end
  return reply('ok', tonumber(granted), tonumber(wait), seq, ahead)
end
if tonumber(known[1]) ~= tonumber(seq) - 1 then return reply('unknown', -1, -1, known[1]) end

local changed = consumed > 0 or back > 0
if kind == 'rate' then
  pass(width)
  for index = 15, #ARGV, 2 do
    local part, amount = tonumber(ARGV[index]), tonumber(ARGV[index + 1])
    if amount > 0 then
      count(part, amount, width)
    elseif amount < 0 then
      correct(part, -amount)
      changed = true
    end
  end
elseif kind == 'budget' then
  local before = field('b:' .. holder)
  if told ~= before then
    add('used', told - before)
    call('HSET', C, 'b:' .. holder, int(told))
    changed = true
  end
end
lease(holder, -consumed - back)
if answered and call('HGET', C, RECALLED) == '1' then
  call('HSET', C, RECALLED, '2')
  changed = true
end
if ttl_ms > 0 then
  for index = 2, 5 do call('PEXPIRE', KEYS[index], ttl_ms) end
end

-- Ask all others to give back; whether somebody has still to answer.
local function recall()
  local asked = false
  local all = call('HGETALL', L)
  for index = 1, #all, 2 do
    local other = all[index]
    if other ~= holder and tonumber(all[index + 1]) > 0 then
      local state = call('HGET', C, 'r:' .. other)
      if not state then
        call('HSET', C, 'r:' .. other, '1')
        tell(other, 'recall')
      end
      asked = asked or state ~= '2'
    end
  end
  return asked
end

-- How many want more of a rate than there is, this one included.
local function keen()
  local kept = {holder .. ':' .. int(now + KEEN_US)}
  for other, till in string.gmatch(call('HGET', C, 'k') or '', '(%S+):(%d+)') do
    if other ~= holder and tonumber(till) >= now then kept[#kept + 1] = other .. ':' .. till end
  end
  call('HSET', C, 'k', table.concat(kept, ' '))
  return #kept
end

-- Lease what leaves the window soon, instead of counting it as used: a share of it, at most `amount`, in pieces of
-- `least` at least, each to be used from its instant on. So no time is lost by asking.
local function ripen(amount)
  local pieces, ripe, index = {}, 0, 0
  if amount <= 0 or limit < field('used') + field('leased') then return pieces end
  local part, held = entry(0)
  while part and (part + PARTS + 1) * width <= now + LEAD_US do
    ripe = ripe + held
    index = index + 1
    part, held = entry(index)
  end
  -- What is less than the least is of no use.
  local left = math.min(amount, math.max(least, math.ceil(ripe / keen())))
  if left > ripe then return pieces end
  local taken = 0
  part, held = entry(0)
  while left > taken and part and (part + PARTS + 1) * width <= now + LEAD_US do
    local piece = math.min(left - taken, held)
    if piece == held then call('LPOP', W) else put(0, part, held - piece) end
    taken = taken + piece
    local at, size = (part + PARTS + 1) * width, #pieces
    if size > 0 and pieces[size] < least then
      pieces[size - 1], pieces[size] = at, pieces[size] + piece
    elseif piece > 0 then
      pieces[size + 1], pieces[size + 2] = at, piece
    end
    part, held = entry(0)
  end
  local size = #pieces
  if size > 2 and pieces[size] < least then
    pieces[size - 3], pieces[size - 2] = pieces[size - 1], pieces[size - 2] + pieces[size]
    pieces[size - 1], pieces[size] = nil, nil
  end
  add('used', -taken)
  lease(holder, taken)
  return pieces
end

local function decide()
  local used, leased = field('used'), field('leased')
  -- What it owes takes none of the room, and a grant covers it first.
  local debt = math.max(0, -tonumber(call('HGET', L, holder) or 0))
  if least - debt > limit - (kind == 'budget' and used or 0) then return -1, -2 end
  local waiters = waiting()
  local ahead, place = 0, nil
  for index, each in ipairs(waiters) do
    if each[1] == holder then
      place = index
      break
    end
    ahead = ahead + each[2]
  end
  local behind = #waiters - (place or #waiters)
  local room = limit - used - leased - ahead + debt
  if room >= least then
    local others = math.max(1, field('n'), #waiters)
    local share = math.floor(room / others)
    -- The last of a rate goes to whoever comes: what lies here while it ages is lost for everybody.
    if kind == 'rate' and room * 20 <= limit then share = room end
    if behind > 0 then share = 0 end
    return math.max(least, math.min(most, share), 0), -1
  end
  if least == 0 then return 0, -1 end
  if kind == 'rate' and used + least > limit then
    return -1, math.max(wait_us(math.min(limit, least), limit, width), width * PARTS / 1000)
  end
  if not place then call('RPUSH', Q, holder) end
  call('HSET', C, 'w:' .. holder, int(least) .. ':' .. int(now + STOPS_ASKING_US))
  if recall() or kind == 'budget' or patient then return -1, -1 end
  -- What is leased is in use.
  if kind == 'rate' then return -1, wait_us(math.min(limit, least + leased), limit, width) end
  return -1, 1000000
end

local granted, wait, ahead = -1, -1, {}
if least >= 0 then
  granted, wait = decide()
  if granted >= 0 then
    lease(holder, granted)
    call('HDEL', C, RECALLED)
  end
  if granted >= 0 or wait ~= -1 then
    leave(holder)
    changed = true
  end
  local owes = tonumber(call('HGET', L, holder) or 0) < 0
  if kind == 'rate' and least > 0 and wait ~= -2 and (granted >= 0 or wait ~= -1) and not owes then
    ahead = ripen(most - math.max(0, granted))
  end
end
local answer = {int(granted), int(wait)}
for _, number in ipairs(ahead) do answer[#answer + 1] = int(number) end
call('HSET', C, 's:' .. holder, seq, 'g:' .. holder, table.concat(answer, ' '))
if changed then nudge(holder) end
return reply('ok', granted, wait, seq, ahead)
