-- Ledger only. Takes back what edges hold that are no more.
-- ARGV: time to live in ms, ms after which an edge that owes nothing is forgotten, ms after which a silent edge is taken for gone for good,
--       then for each edge that has closed: edge, what it keeps ('charged' or 'posted').
-- Reply: 'reclaimed' or 'unknown', given back, leased after, spent_version, then for each silent edge that still holds something: edge, g.
--
-- A silent edge may have charged all that it held, up to its last instant, and nobody knows until its spool is read: so it keeps all of
-- it until its records are in the journal and it is closed. One that never comes back is given up after a time; what it said that it had
-- charged stays held even then. A closed edge's last records may still be in the hands of a Ledger that hangs: what it said that it had
-- charged ('charged') stays held until they have come, or until nobody waits for them any more ('posted').

local ttl, forget, gone = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
if not known() then
  return { 'unknown', '0', '0', '0' }
end
-- Most windows of most passes: nobody holds anything.
local first = redis.call('HMGET', key, 'leased', 'spent_version')
if first[1] == '0' and #ARGV == 3 then
  return { 'reclaimed', '0', '0', first[2] }
end
local closed = {}
for i = 4, #ARGV, 2 do
  closed[ARGV[i]] = ARGV[i + 1]
end

local fields = redis.call('HGETALL', key)
local all, names = {}, {}
for i = 1, #fields, 2 do
  all[fields[i]] = fields[i + 1]
  if string.sub(fields[i], 1, 2) == 'g:' or (string.sub(fields[i], 1, 2) == 't:') then
    names[string.sub(fields[i], 3)] = true
  end
end

local given, alive, held = 0, 0, {}
for edge in pairs(names) do
  local granted, posted, charged = all['g:' .. edge] or '0', all['p:' .. edge] or '0', all['c:' .. edge] or '0'
  local silent = now - tonumber(all['t:' .. edge] or '0')
  if silent <= ttl and not closed[edge] then
    alive = alive + 1
  else
    local keeps = granted
    if closed[edge] == 'posted' then
      keeps = posted
    elseif closed[edge] or silent > gone then
      keeps = larger(posted, charged)
    end
    if difference(granted, keeps) > 0 then
      given = given + difference(granted, keeps)
      hold(edge, granted, posted, keeps, posted)
      granted = keeps
    end
    if difference(granted, posted) > 0 then
      held[#held + 1] = edge
      held[#held + 1] = granted
    elseif closed[edge] or silent > forget then
      redis.call('HDEL', key, 'g:' .. edge, 'p:' .. edge, 'c:' .. edge, 't:' .. edge)
    end
  end
end
redis.call('HSET', key, 'edges', text(alive))
local reply = { 'reclaimed', text(given), redis.call('HGET', key, 'leased'), first[2] }
for i = 1, #held do
  reply[#reply + 1] = held[i]
end
return reply
