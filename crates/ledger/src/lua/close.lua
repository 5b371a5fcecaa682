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

local answer = {}
for call = 2, #KEYS do
  local tenant, record, wanted = ARGV[call * 3 - 5], ARGV[call * 3 - 4], ARGV[call * 3 - 3]
  local gave = 0
  local taken = wanted ~= 'none' and redis.call('GET', KEYS[call]) or ''
  for index, kind, place, amount, key in string.gmatch(taken, '(%d+) (%a) (%d+) (%d+) ([^\n]+)') do
    if wanted == 'all' or string.find(wanted, ' ' .. index .. ' ', 1, true) then
      gave = math.max(gave, give_back(kind, tonumber(place), tonumber(amount), key))
    end
  end
  redis.call('DEL', KEYS[call])
  redis.call('XADD', KEYS[1], '*', 't', tenant, 'c', record, 'g', gave)
  answer[call - 1] = gave
end
return answer
