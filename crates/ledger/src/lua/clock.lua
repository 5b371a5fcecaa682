-- In front of every script that needs the time. Microseconds since the Unix epoch: 1.8e15, exact below 2^53.
-- An empty argument means Redis' own clock; only tests give another.
local function clock(given)
  if given ~= '' then
    return tonumber(given)
  end
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

-- Lua writes 1e15 with an exponent; Redis wants digits.
local function digits(number)
  return string.format('%.0f', number)
end
