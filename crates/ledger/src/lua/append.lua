-- Appends a record that no policy judged; with a second key, once in a span.
--
-- KEYS: stream, then perhaps: the key of what is the same, of the count of this decision.
-- ARGV: clock, tenant, record, entries the stream may hold, then perhaps: span in seconds.
-- Answers 0 full, 1 recorded, 2 counted only.
local COUNT_KEPT = 3600

local entry = { 't', ARGV[2], 'd', ARGV[3] }
if KEYS[2] then
  local now = clock(ARGV[1])
  local seen = redis.call('HMGET', KEYS[2], 'at', 'count')
  local at = tonumber(seen[1])
  if at and now - at < tonumber(ARGV[5]) * 1000000 then
    redis.call('INCR', seen[2])
    redis.call('EXPIRE', seen[2], COUNT_KEPT)
    return 2
  end
  if redis.call('XLEN', KEYS[1]) >= tonumber(ARGV[4]) then
    return 0
  end
  redis.call('HSET', KEYS[2], 'at', digits(now), 'count', KEYS[3])
  redis.call('EXPIRE', KEYS[2], tonumber(ARGV[5]) + 60)
  entry[5], entry[6] = 'n', ARGV[5]
elseif redis.call('XLEN', KEYS[1]) >= tonumber(ARGV[4]) then
  return 0
end
redis.call('XADD', KEYS[1], '*', unpack(entry))
return 1
