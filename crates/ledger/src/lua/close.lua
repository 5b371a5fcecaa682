-- Ends a call: gives back what is asked, each into the window it came from if that still counts, and appends the
-- closing record. The reservation goes with the first closing, so a second gives nothing back.
--
-- KEYS: stream, reservation. The counters are named by the reservation and share the tenant's slot.
-- ARGV: tenant, record, what to give back (none, all, only), then the indices for only.
-- Answers 1 if something was given back, else 0.
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
    return false
  end
  local back = string.format('-%.0f', math.min(held, amount))
  redis.call('HINCRBY', key, field, back)
  if field ~= 'n' then
    redis.call('HINCRBY', key, 'n', back)
  end
  return true
end

local wanted = {}
for at = 4, #ARGV do
  wanted[ARGV[at]] = true
end
local gave = 0
local taken = ARGV[3] ~= 'none' and redis.call('GET', KEYS[2]) or ''
for index, kind, place, amount, key in string.gmatch(taken, '(%d+) (%a) (%d+) (%d+) ([^\n]+)') do
  if ARGV[3] == 'all' or wanted[index] then
    if give_back(kind, tonumber(place), tonumber(amount), key) then
      gave = 1
    end
  end
end
redis.call('DEL', KEYS[2])
redis.call('XADD', KEYS[1], '*', 't', ARGV[1], 'c', ARGV[2], 'g', gave)
return gave
