-- A change announces itself. KEYS: pending. ARGV: clock, change.
local STANDS_FOR = 10000000
local KEPT = 86400
redis.call('ZADD', KEYS[1], digits(clock(ARGV[1]) + STANDS_FOR), ARGV[2])
redis.call('EXPIRE', KEYS[1], KEPT)
return 1
