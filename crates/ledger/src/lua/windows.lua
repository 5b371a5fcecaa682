-- Counters. A sliding window is a hash: `l` the newest bucket's number, `n` the running total, and one field per
-- bucket in a ring of 61 (60 that make up the window, and the one being filled). A calendar window is a hash too:
-- `w` the second the window began, `n` the total. Amounts are integers of at most 9e15, so sums and differences
-- that are checked before they are made stay exact in a double.
local RING = 61

-- Number of the bucket that a moment is in. Below 2^47 before the division, so that the floor is exact.
local function bucket_at(now, length)
  return math.floor(math.floor(now / 1000) * 60 / (length * 1000))
end

-- The first millisecond in which a bucket no longer counts.
local function bucket_gone(bucket, length)
  return math.floor(((bucket + RING) * length * 1000 + 59) / 60)
end

-- The second in which the UTC month of this second began (days to civil date, proleptic Gregorian).
local function month_start(second)
  local day = math.floor(second / 86400)
  local shifted = day + 719468
  local of_era = shifted % 146097
  local year = math.floor(
    (of_era - math.floor(of_era / 1460) + math.floor(of_era / 36524) - math.floor(of_era / 146096)) / 365)
  local of_year = of_era - (365 * year + math.floor(year / 4) - math.floor(year / 100))
  local month = math.floor((5 * of_year + 2) / 153)
  local of_month = of_year - math.floor((153 * month + 2) / 5)
  return (day - of_month) * 86400
end

local function load_sliding(key, length, now)
  local state = { kind = 's', key = key, length = length, used = 0, take = 0, gone = {} }
  state.place = bucket_at(now, length)
  local stored = redis.call('HMGET', key, 'l', 'n')
  local newest = tonumber(stored[1])
  if not newest then
    return state
  end
  -- A clock that went back must not bring back what has expired.
  state.place = math.max(state.place, newest)
  local passed = state.place - newest
  state.begun = passed == 0
  if passed >= RING then
    state.anew = true
    return state
  end
  state.used = tonumber(stored[2])
  if passed > 0 then
    local ring = {}
    for bucket = newest + 1, state.place do
      ring[#ring + 1] = digits(bucket % RING)
    end
    local amounts = redis.call('HMGET', key, unpack(ring))
    for at, amount in ipairs(amounts) do
      if amount then
        state.used = state.used - tonumber(amount)
        state.gone[#state.gone + 1] = ring[at]
      end
    end
  end
  return state
end

local function load_calendar(key, kind, length, now)
  local second = math.floor(now / 1000000)
  local start = kind == 'm' and month_start(second) or second - second % length
  local state = { kind = kind, key = key, used = 0, take = 0 }
  local stored = redis.call('HMGET', key, 'w', 'n')
  local begun = tonumber(stored[1])
  if begun and begun >= start then
    start = begun
    state.begun = true
    state.used = tonumber(stored[2])
  end
  state.place = start
  -- 31 days after the first of a month is always in the next one.
  state.ends = kind == 'm' and month_start(start + 31 * 86400) or start + length
  return state
end

local function load(key, kind, length, now)
  if kind == 's' then
    return load_sliding(key, length, now)
  end
  return load_calendar(key, kind, length, now)
end

-- When nothing would be left of the counter, in milliseconds.
local function empty_at(state)
  if state.kind == 's' then
    return bucket_gone(state.place, state.length)
  end
  return state.ends * 1000
end

-- When `amount` would fit, in milliseconds: oldest buckets leave first.
local function fits_at(state, amount, max)
  if state.kind ~= 's' or amount > max then
    return empty_at(state)
  end
  -- All at once: asked for one by one, Redis would walk through the hash for each.
  local fields, ring = redis.call('HGETALL', state.key), {}
  for at = 1, #fields, 2 do
    ring[tonumber(fields[at]) or fields[at]] = tonumber(fields[at + 1])
  end
  local used = state.used
  for bucket = state.place - RING + 1, state.place do
    -- Behind the newest bucket the ring may hold some that have expired; before them all that counts has left.
    used = used - (ring[bucket % RING] or 0)
    if amount <= max - used then
      return bucket_gone(bucket, state.length)
    end
  end
  return empty_at(state)
end

-- Writes what was planned in `state.take`. The time to live is set where a bucket or window begins, and outlives it.
local function store(state, now)
  if state.take == 0 then
    return
  end
  local key, take = state.key, digits(state.take)
  if state.kind == 's' then
    if state.anew then
      redis.call('DEL', key)
    elseif state.gone[1] then
      redis.call('HDEL', key, unpack(state.gone))
    end
    redis.call('HINCRBY', key, digits(state.place % RING), take)
  end
  if state.begun then
    redis.call('HINCRBY', key, 'n', take)
    return
  end
  local total = digits(state.used + state.take)
  if state.kind == 's' then
    redis.call('HSET', key, 'l', digits(state.place), 'n', total)
    redis.call('PEXPIRE', key, digits(math.ceil(state.length * 1000 * RING / 60) + 60000))
  else
    redis.call('HSET', key, 'w', digits(state.place), 'n', total)
    redis.call('PEXPIRE', key, digits(state.ends * 1000 - math.floor(now / 1000) + 60000))
  end
end
