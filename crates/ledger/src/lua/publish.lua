-- A change has committed: its own mark goes, and the epoch is at least its own. Where Redis has forgotten the epoch it can't
-- tell whether there was a greater one: then it notes since when, and this one (see settle.lua).
--
-- KEYS: epoch, pending. ARGV: clock, change, epoch.
local KEPT = 86400
redis.call('ZREM', KEYS[2], ARGV[2])
local stored = redis.call('GET', KEYS[1])
local since, published = string.match(stored or '', '^%?(%d+):(%d+)$')
local current = tonumber(published or stored or 0)
if tonumber(ARGV[3]) > current then
  local value = ARGV[3]
  if since or not stored then
    value = string.format('?%s:%s', since or digits(clock(ARGV[1])), value)
  end
  redis.call('SET', KEYS[1], value, 'EX', KEPT)
end
return 1
