-- A change has committed: its own mark goes, and the epoch is at least its own. KEYS: epoch, pending.
-- ARGV: change, epoch.
local KEPT = 86400
redis.call('ZREM', KEYS[2], ARGV[1])
local current = tonumber(redis.call('GET', KEYS[1]) or -1)
if tonumber(ARGV[2]) > current then
  redis.call('SET', KEYS[1], ARGV[2], 'EX', KEPT)
end
return 1
