-- What every lease script starts with (LeaseScript.cs puts it in front). Each script acts on one budget window, KEYS[1] = budget:{id}:
--
--   limit revision            the definition in force
--   limit_until limit_after   the limit is a raise for a time: from this instant (ms, Redis' clock; 0 for none) on it is limit_after
--   spent spent_version       what the journal has booked; written by Ledger only, newest version wins
--   leased                    sum over all edges of max(0, g - p)
--   run                       run_id of the Redis process that the window was installed in
--   open_at                   nothing is granted before this instant (ms, Redis' clock): edges declare what they hold first
--   edges                     edges that were heard of within the time to live; refreshed by reclaim
--   g:<edge>                  granted so far less released          p:<edge>   posted so far, as the journal has it
--   c:<edge>                  charged so far, as it said last       t:<edge>   when that was (ms, Redis' clock)
--
-- Amounts are whole nano-dollars in decimal. Lua's numbers are doubles, exact to 2^53 nano-dollars = 9.007 million dollars, so sums are
-- made by HINCRBY (64 bits) and Lua only takes differences, dollars and nano-dollars apart: exact whenever the result is below 2^53,
-- and above that no decision hangs on the last digits. Limits up to Money.MaxValue hold to the nano-dollar.

local key = KEYS[1]
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

local function split(amount)
  local sign, digits = 1, amount
  if string.sub(amount, 1, 1) == '-' then
    sign, digits = -1, string.sub(amount, 2)
  end
  local length = #digits
  if length <= 9 then
    return 0, sign * tonumber(digits)
  end
  return sign * tonumber(string.sub(digits, 1, length - 9)), sign * tonumber(string.sub(digits, length - 8))
end

-- from - less - more
local function difference(from, less, more)
  local dollars, nanos = split(from)
  local d, n = split(less)
  dollars, nanos = dollars - d, nanos - n
  if more then
    d, n = split(more)
    dollars, nanos = dollars - d, nanos - n
  end
  return dollars * 1000000000 + nanos
end

local function text(number)
  return string.format('%.0f', number)
end

-- What is available, for a reply: exact up to 2^53, and 2^53 for anything above (a double there could round up beyond 64 bits).
local function shown(available)
  return text(math.min(available, 9007199254740992))
end

local function larger(left, right)
  return difference(left, right) >= 0 and left or right
end

local function outstanding(granted, posted)
  return math.max(0, difference(granted, posted))
end

local function run_id()
  return string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
end

-- A window is known when it was installed in this very process: one that restarted may have come back with older data.
local function known()
  local run = redis.call('HGET', key, 'run')
  return run and run == run_id()
end

-- The limit in force. A raise that is over is taken off for good.
local function limit_now(limit, until_ms, after)
  if until_ms and until_ms ~= '0' and now >= tonumber(until_ms) then
    redis.call('HSET', key, 'limit', after, 'limit_until', '0')
    return after
  end
  return limit
end

-- Sets an edge's g and p, and moves leased by what its outstanding amount changes.
local function hold(edge, granted_before, posted_before, granted, posted)
  local change = outstanding(granted, posted) - outstanding(granted_before, posted_before)
  redis.call('HSET', key, 'g:' .. edge, granted, 'p:' .. edge, posted)
  if change ~= 0 then
    redis.call('HINCRBY', key, 'leased', text(change))
  end
end

-- Notes that an edge was heard of. What it has charged is spent, whatever Redis thought that it held: g is never below it.
local function contact(edge, charged, granted, posted, seen)
  local holds = larger(granted or '0', charged)
  if holds ~= granted then
    hold(edge, granted or '0', posted, holds, posted)
  end
  redis.call('HSET', key, 'c:' .. edge, charged, 't:' .. edge, text(now))
  if not seen then
    redis.call('HINCRBY', key, 'edges', 1)
  end
  return holds
end
