-- Ledger only. Tells what the journal has booked. May be sent twice and in any order: totals, not changes; the newest version wins.
-- ARGV: spent, spent_version, then for each edge: edge, posted (its total).
-- Reply: 'posted', spent, limit, leased; or 'unknown', when the window is not here: nothing to do, it will be installed from the journal.

if not known() then
  return { 'unknown', '0', '0', '0' }
end
if difference(ARGV[2], redis.call('HGET', key, 'spent_version')) > 0 then
  redis.call('HSET', key, 'spent', ARGV[1], 'spent_version', ARGV[2])
end
for i = 3, #ARGV, 2 do
  local edge, posted = ARGV[i], ARGV[i + 1]
  local f = redis.call('HMGET', key, 'g:' .. edge, 'p:' .. edge)
  -- An edge without g holds nothing here: what was posted for it is in spent already.
  if f[1] and difference(posted, f[2] or '0') > 0 then
    hold(edge, f[1], f[2] or '0', f[1], posted)
  end
end
local f = redis.call('HMGET', key, 'spent', 'limit', 'leased')
return { 'posted', f[1], f[2], f[3] }
