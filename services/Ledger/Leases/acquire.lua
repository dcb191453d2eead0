-- Grants an edge room in a window.
-- ARGV: edge, want, least, charged (all that it charged so far), granted (the total that it believes to hold).
-- Reply: status, granted now, available after, granted in all, ms until it opens, spent, limit, revision, held by other edges.
--   granted     between least and want
--   short       available < least: nothing granted
--   rebuilding  Redis was lost and the edges declare what they hold: ask again in that many ms
--   unknown     ask Ledger to install the window (and declare what is held)

-- Beside other edges a want is comfortable up to this part of their equal share.
local COMFORT = 4
-- A tight grant has a margin only while the window has room for this many more such requests.
local MARGIN_FROM = 128
-- One grant is never larger: a million dollars.
local GRANT_MAX = 1000000000000000

local edge, charged, believed = ARGV[1], ARGV[4], ARGV[5]
local least = math.max(0, tonumber(ARGV[3]))
local want = math.max(least, math.min(tonumber(ARGV[2]), GRANT_MAX))

if not known() then
  return { 'unknown', '0', '0', '0', '0', '0', '0', '0', '0' }
end
local f = redis.call('HMGET', key, 'limit', 'spent', 'open_at', 'g:' .. edge, 'p:' .. edge, 't:' .. edge, 'revision', 'limit_until', 'limit_after')
local limit, spent, opens, granted, posted, revision = limit_now(f[1], f[8], f[9]), f[2], f[3], f[4], f[5] or '0', f[7]
if not granted and believed ~= '0' then
  return { 'unknown', '0', '0', '0', '0', '0', '0', '0', '0' }
end

granted = contact(edge, charged, granted, posted, f[6])
local counts = redis.call('HMGET', key, 'leased', 'edges')
local available = difference(limit, spent, counts[1])
local others = shown(difference(counts[1], text(outstanding(granted, posted))))
local wait = tonumber(opens) - now
if wait > 0 then
  return { 'rebuilding', '0', shown(available), granted, text(wait), spent, limit, revision, others }
end
if available < math.max(least, 1) then
  return { 'short', '0', shown(available), granted, '0', spent, limit, revision, others }
end

-- Far from the limit an edge gets what it wants. Near it a grant is what is expected and no share of the rest: fifty calls for the price
-- of fifty are then all admitted at once, whatever they declared.
local grant
local edges = 1 + tonumber(counts[2])
if want <= available / (COMFORT * edges) then
  grant = want
elseif available >= MARGIN_FROM * least then
  grant = math.min(want, math.max(1, least + math.min(least, math.floor(available / (MARGIN_FROM * edges)))))
else
  grant = math.max(1, least)
end

redis.call('HINCRBY', key, 'g:' .. edge, text(grant))
local total = redis.call('HGET', key, 'g:' .. edge)
local change = outstanding(total, posted) - outstanding(granted, posted)
redis.call('HINCRBY', key, 'leased', text(change))
return { 'granted', text(grant), shown(available - change), total, '0', spent, limit, revision, others }
