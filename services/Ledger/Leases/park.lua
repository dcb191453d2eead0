-- Ledger only. Takes a window out of Redis when no living edge has it, so that it can be put back later without waiting for anybody's word.
-- ARGV: time to live in ms, then edges that have closed.
-- Reply: 'unknown', 'used' (an edge lives: nothing was changed), or 'parked', then for each edge that still holds something: edge, g.

if not known() then
  return { 'unknown' }
end
local ttl, closed = tonumber(ARGV[1]), {}
for i = 2, #ARGV do
  closed[ARGV[i]] = true
end

local fields = redis.call('HGETALL', key)
local all, reply = {}, { 'parked' }
for i = 1, #fields, 2 do
  all[fields[i]] = fields[i + 1]
end
for name, value in pairs(all) do
  local kind, edge = string.sub(name, 1, 2), string.sub(name, 3)
  if kind == 't:' and now - tonumber(value) <= ttl and not closed[edge] then
    return { 'used' }
  end
  if kind == 'g:' and difference(value, all['p:' .. edge] or '0') > 0 then
    reply[#reply + 1] = edge
    reply[#reply + 1] = value
  end
end
redis.call('DEL', key)
return reply
