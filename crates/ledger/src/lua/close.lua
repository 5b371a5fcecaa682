-- Ends calls: gives back what is asked, each into the window it came from if that still counts, and appends the
-- closing records. A reservation goes with the first closing, so a second gives nothing back.
--
-- KEYS: stream, then a reservation per call. The counters are named by the reservation and share the tenant's slot.
-- ARGV: per call: tenant, record, what to give back (`none`, `all`, or the indices with a blank before and after each).
-- Answers per call 1 if something was given back, else 0.
local RING = 61

-- The field that holds what was taken then, or nil when that window is over.
local function field_of(kind, place, key)
  local newest = tonumber(redis.call('HGET', key, kind == 's' and 'l' or 'w'))
  if not newest then
    return nil
  elseif kind ~= 's' then
    return newest == place and 'n' or nil
  end
  return place <= newest and place > newest - RING and string.format('%.0f', place % RING) or nil
end

local function give_back(kind, place, amount, key)
  local field = field_of(kind, place, key)
  local held = field and tonumber(redis.call('HGET', key, field))
  if not held or held <= 0 then
    return 0
  end
  local back = string.format('-%.0f', math.min(held, amount))
  redis.call('HINCRBY', key, field, back)
  if field ~= 'n' then
    redis.call('HINCRBY', key, 'n', back)
  end
  return 1
end

-- Plan. While a cluster moves the slot, a counter may have gone ahead: looking for it fails, before anything is written.
local charges = {}
for call = 2, #KEYS do
  local wanted = ARGV[call * 3 - 3]
  local taken = wanted ~= 'none' and redis.call('GET', KEYS[call]) or ''
  charges[call] = {}
  for index, kind, place, amount, key in string.gmatch(taken, '(%d+) (%a) (%d+) (%d+) ([^\n]+)') do
    if wanted == 'all' or string.find(wanted, ' ' .. index .. ' ', 1, true) then
      redis.call('EXISTS', key)
      table.insert(charges[call], { kind, tonumber(place), tonumber(amount), key })
    end
  end
end

local answer = {}
for call = 2, #KEYS do
  local gave = 0
  if redis.call('DEL', KEYS[call]) == 1 then
    for _, charge in ipairs(charges[call]) do
      gave = math.max(gave, give_back(unpack(charge)))
    end
  end
  redis.call('XADD', KEYS[1], '*', 't', ARGV[call * 3 - 5], 'c', ARGV[call * 3 - 4], 'g', gave)
  answer[call - 1] = gave
end
return answer
