-- Tells that an edge lives, what it charged, and gives back what it does not need.
-- ARGV: edge, charged, granted (the total that it believes to hold), give back (0 for none).
-- Reply: status, given back now, available after, granted in all, ms until it opens, spent, limit, revision, held by other edges.
--   ok        noted; what was given back is off the total
--   mismatch  Redis has another total (a reply was lost, or the lease was reclaimed): nothing was given back; the edge goes on with the
--             total of the reply, and stops what that does not cover. So a give back may be sent twice.
--   unknown   ask Ledger to install the window and declare what is held

local edge, charged, believed = ARGV[1], ARGV[2], ARGV[3]

if not known() then
  return { 'unknown', '0', '0', '0', '0', '0', '0', '0', '0' }
end
local f = redis.call('HMGET', key, 'limit', 'spent', 'open_at', 'g:' .. edge, 'p:' .. edge, 't:' .. edge, 'revision', 'limit_until', 'limit_after')
local limit, spent, granted, posted = limit_now(f[1], f[8], f[9]), f[2], f[4], f[5] or '0'
if not granted and believed ~= '0' then
  return { 'unknown', '0', '0', '0', '0', '0', '0', '0', '0' }
end

local status, given = 'ok', 0
if granted and granted ~= believed then
  status = 'mismatch'
end
granted = contact(edge, charged, granted, posted, f[6])
if status == 'ok' and granted ~= believed then
  status = 'mismatch'
end
if status == 'ok' then
  given = math.max(0, math.min(tonumber(ARGV[4]), difference(granted, charged)))
  if given > 0 then
    local before = granted
    redis.call('HINCRBY', key, 'g:' .. edge, text(-given))
    granted = redis.call('HGET', key, 'g:' .. edge)
    redis.call('HINCRBY', key, 'leased', text(outstanding(granted, posted) - outstanding(before, posted)))
  end
end
local wait = math.max(0, tonumber(f[3]) - now)
local leased = redis.call('HGET', key, 'leased')
local available = difference(limit, spent, leased)
local others = shown(difference(leased, text(outstanding(granted, posted))))
return { status, text(given), shown(available), granted, text(wait), spent, limit, f[7], others }
