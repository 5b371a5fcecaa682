-- Settles one call: epoch, room in the stream, all limits or none, the record. Nothing is taken or recorded before the
-- last check has passed.
--
-- Where Redis has forgotten the epoch, its key holds `?`, since when, `:`, and an epoch that was published since or 0. A
-- state that was read before then may be older than a change that Redis once knew of; one that was read since can't be.
--
-- KEYS: epoch, pending, stream, reservation, then a counter per charge.
-- ARGV: clock, epoch judged by, fresh, tenant, record, entries the stream may hold, then per charge: kind (s, c, m),
--       length in seconds, max, amount, shadow (0, 1).
-- Answers {0, now} stale, {1} full, {2, cacheable, index, used, resets} over,
--         {3, cacheable, shadow index or -1, used, resets, used, resets...} taken. Indices count from 0.
local FRESH_FOR = 2000000
local EPOCH_KEPT = 86400
local RESERVATION_KEPT = 86400

local now = clock(ARGV[1])
local epoch = tonumber(ARGV[2])
local fresh = tonumber(ARGV[3])
local stored = redis.call('GET', KEYS[1])
local since, published = string.match(stored or '', '^%?(%d+):(%d+)$')
local current = tonumber(published or stored)
local cacheable = 1

if not stored then
  redis.call('SET', KEYS[1], string.format('?%s:0', digits(now)), 'EX', EPOCH_KEPT)
  return { 0, now }
elseif fresh then
  if epoch < current or since and fresh < tonumber(since) or fresh > now or now - fresh > FRESH_FOR then
    return { 0, now }
  end
elseif since or epoch ~= current or redis.call('ZCARD', KEYS[2]) > 0 then
  return { 0, now }
end
if redis.call('XLEN', KEYS[3]) >= tonumber(ARGV[6]) then
  return { 1 }
end
if fresh then
  -- Their changes committed, or never will, before this state was read.
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', digits(fresh))
  cacheable = redis.call('ZCARD', KEYS[2]) == 0 and 1 or 0
  if since or epoch > current then
    redis.call('SET', KEYS[1], digits(epoch), 'EX', EPOCH_KEPT)
  end
end

-- Plan. A counter that two charges share is loaded once, so that each sees what the other asks for.
local states, charges = {}, {}
local over, shadow_over
for at = 5, #KEYS do
  local arg = 7 + (at - 5) * 5
  local state = states[KEYS[at]] or load(KEYS[at], ARGV[arg], tonumber(ARGV[arg + 1]), now)
  states[KEYS[at]] = state
  local charge = {
    index = at - 5, state = state, max = tonumber(ARGV[arg + 2]), amount = tonumber(ARGV[arg + 3]),
    shadow = ARGV[arg + 4] == '1',
  }
  charges[#charges + 1] = charge
  if charge.amount > charge.max - state.used - state.take then
    if charge.shadow then
      shadow_over = shadow_over or charge
    else
      over = charge
      break
    end
  else
    state.take = state.take + charge.amount
  end
end

local function mark(charge, used, resets)
  return string.format('%d %.0f %.0f %.0f', charge.index, used, charge.max, resets)
end

local entry = { 't', ARGV[4], 'd', ARGV[5] }
local function append(field, value)
  entry[#entry + 1] = field
  entry[#entry + 1] = value
end

if over then
  local resets = fits_at(over.state, over.amount, over.max)
  append('o', mark(over, over.state.used, resets))
  redis.call('XADD', KEYS[3], '*', unpack(entry))
  return { 2, cacheable, over.index, over.state.used, resets }
end

-- Take. A shadow limit that is over stands for a refusal, and a refused call takes nothing: no shadow counter moves.
local reservation = {}
local answer = { 3, cacheable, shadow_over and shadow_over.index or -1 }
local tightest, least
for _, charge in ipairs(charges) do
  local state = charge.state
  if charge.shadow and shadow_over then
    state.take = 0
  elseif charge.amount > 0 then
    reservation[#reservation + 1] =
      string.format('%d %s %.0f %.0f %s', charge.index, state.kind, state.place, charge.amount, state.key)
  end
end
for _, state in pairs(states) do
  store(state, now)
end
for _, charge in ipairs(charges) do
  local state = charge.state
  local used = state.used + state.take
  local resets = charge == shadow_over and fits_at(state, charge.amount, charge.max) or empty_at(state)
  answer[#answer + 1] = used
  answer[#answer + 1] = resets
  if charge == shadow_over then
    append('s', mark(charge, used, resets))
  elseif not charge.shadow then
    local left = charge.max > 0 and (charge.max - used) / charge.max or 0
    if not least or left < least then
      least = left
      tightest = mark(charge, used, resets)
    end
  end
end
if tightest then
  append('l', tightest)
end
if #reservation > 0 then
  redis.call('SET', KEYS[4], table.concat(reservation, '\n'), 'EX', RESERVATION_KEPT)
end
redis.call('XADD', KEYS[3], '*', unpack(entry))
return answer
