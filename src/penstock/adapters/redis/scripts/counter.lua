-- What every script on a counter begins with (docs/adr/0022-redis-owns-counters.md).
--
-- C hash     kind, used, leased (the sum of leases above zero), n (holders), and by holder
--            s: number of its last turn        g: what that turn was answered    b: told, all that it said it used
--            r: 1 recalled, 2 and it answered  w: least:until, it waits          x: reaped, must state itself anew
--            e: by source, the epoch in which it said what was spent before    f: whose ledger a holder stands in
--            and k: who wants more of a rate than there is (holder:until …)
-- L hash     leases by holder
-- Q list     holders that wait, in order
-- W list     part:amount of a rate's window, in order of parts (a thousandth of the window each)
--
-- Instants are microseconds of this server's clock. Numbers are exact below 2^53.
-- Of the holder whom a script is about: DEAD says that nothing it sent may count any more, MINE is the set of
-- counters in which it has a part.
local EPOCH, C, L, Q, W, DEAD, MINE = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local PARTS = 1000
local call = redis.call
local clock = call('TIME')
local now = clock[1] * 1000000 + clock[2]

local function int(number)
  return string.format('%.0f', number)
end

local function field(name)
  return tonumber(call('HGET', C, name) or 0)
end

local function add(name, change)
  if change ~= 0 then call('HINCRBY', C, name, int(change)) end
end

local function lease(holder, change)
  if change == 0 then return end
  local before = tonumber(call('HGET', L, holder) or 0)
  local after = before + change
  if after == 0 then call('HDEL', L, holder) else call('HSET', L, holder, int(after)) end
  add('leased', math.max(0, after) - math.max(0, before))
end

-- The window ------------------------------------------------------------------------------------------------

local function entry(index)
  local text = call('LINDEX', W, index)
  if not text then return nil end
  local colon = string.find(text, ':', 1, true)
  return tonumber(string.sub(text, 1, colon - 1)), tonumber(string.sub(text, colon + 1)), text
end

-- Let go of what has left the window.
local function pass(width)
  local gone = math.floor(now / width) - PARTS
  local freed = 0
  local part, amount = entry(0)
  while part and part < gone do
    freed = freed + amount
    call('LPOP', W)
    part, amount = entry(0)
  end
  add('used', -freed)
end

-- The place of the first entry at or after a part, and what stands there; nil where there is none.
local function find(part)
  local size = call('LLEN', W)
  local last = entry(-1)
  if not last or last < part then return size, nil end
  local low, high = 0, size - 1
  while low < high do
    local middle = math.floor((low + high) / 2)
    if entry(middle) < part then low = middle + 1 else high = middle end
  end
  return low, entry(low)
end

local function put(index, part, amount)
  call('LSET', W, index, int(part) .. ':' .. int(amount))
end

local function count(part, amount, width)
  if part < math.floor(now / width) - PARTS then return end
  local index, found = find(part)
  local _, held, text = entry(index)
  if found == part then
    put(index, part, held + amount)
  elseif found then
    call('LINSERT', W, 'BEFORE', text, int(part) .. ':' .. int(amount))
  else
    call('RPUSH', W, int(part) .. ':' .. int(amount))
  end
  add('used', amount)
end

-- Take back what was counted in a part: from there, else from what is older, which errs on the safe side.
local function correct(part, amount)
  local index, found = find(part)
  if found ~= part then index = index - 1 end
  local left = amount
  while left > 0 and index >= 0 do
    local at, held = entry(index)
    local taken = math.min(left, held)
    if taken > 0 then put(index, at, held - taken) end
    left = left - taken
    index = index - 1
  end
  add('used', left - amount)
end

-- Microseconds until `amount` more fits under `limit`.
local function wait_us(amount, limit, width)
  local excess = field('used') + amount - limit
  local index = 0
  while excess > 0 do
    local part, held = entry(index)
    if not part then break end
    excess = excess - held
    index = index + 1
    if excess <= 0 then return math.max(0, (part + PARTS + 1) * width - now) end
  end
  return math.max(0, excess) > 0 and width * PARTS or 0
end

-- Those who wait --------------------------------------------------------------------------------------------

local function tell(holder, word)
  call('PUBLISH', 'penstock:to:' .. holder, word .. ' ' .. C)
end

local function leave(holder)
  if call('HDEL', C, 'w:' .. holder) == 1 then call('LREM', Q, 0, holder) end
end

-- Who waits, in order, with the least that each needs; without those that have stopped asking.
local function waiting()
  local found = {}
  for _, holder in ipairs(call('LRANGE', Q, 0, -1)) do
    local want = call('HGET', C, 'w:' .. holder)
    local least, till = string.match(want or '0:0', '^(%d+):(%d+)$')
    if tonumber(till) < now then
      call('HDEL', C, 'w:' .. holder)
      call('LREM', Q, 0, holder)
    else
      found[#found + 1] = {holder, tonumber(least)}
    end
  end
  return found
end

-- Something changed: whoever is first asks again.
local function nudge(holder)
  if call('EXISTS', Q) == 0 then return end
  local first = waiting()[1]
  if first and first[1] ~= holder then tell(first[1], 'ask') end
end

local function forget(holder)
  leave(holder)
  call('HDEL', C, 's:' .. holder, 'g:' .. holder, 'r:' .. holder, 'x:' .. holder)
end

-- Its lease is nobody's any more; what was left of a rate counts as used now.
local function release(holder, width)
  local held = tonumber(call('HGET', L, holder) or 0)
  if width > 0 and held > 0 then
    pass(width)
    count(math.floor(now / width), held, width)
  end
  lease(holder, -held)
end
