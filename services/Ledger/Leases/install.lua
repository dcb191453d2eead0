-- Ledger only. Puts a window into Redis, or brings it up to date; and notes what edges hold.
-- ARGV: limit, revision, spent, spent_version, ms until it opens when it is new here, when it may be forgotten (Unix ms; 0 for never),
--       until when the limit is a raise (Unix ms; 0 for for ever), what it is then,
--       then for each edge: edge, declared (the total that it holds; '0' when it declares nothing), posted, and whether it says so itself ('1')
--       or Ledger has it written down of one that was silent ('0').
-- Reply: 'created' or 'updated', limit, spent, leased, ms until it opens.

local status = 'updated'
if not known() then
  -- Data of an earlier process may be older than the truth: the journal and the edges' own words replace it whole.
  redis.call('DEL', key)
  redis.call('HSET', key, 'limit', ARGV[1], 'revision', ARGV[2], 'limit_until', ARGV[7], 'limit_after', ARGV[8], 'spent', ARGV[3], 'spent_version', ARGV[4],
    'leased', '0', 'edges', '0', 'run', run_id(), 'open_at', text(now + tonumber(ARGV[5])))
  if ARGV[6] ~= '0' then
    redis.call('PEXPIREAT', key, ARGV[6])
  end
  status = 'created'
else
  local f = redis.call('HMGET', key, 'revision', 'spent_version')
  if difference(ARGV[2], f[1]) >= 0 then
    redis.call('HSET', key, 'limit', ARGV[1], 'revision', ARGV[2], 'limit_until', ARGV[7], 'limit_after', ARGV[8])
  end
  if difference(ARGV[4], f[2]) > 0 then
    redis.call('HSET', key, 'spent', ARGV[3], 'spent_version', ARGV[4])
  end
end

for i = 9, #ARGV, 4 do
  local edge, declared, posted, itself = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3] == '1'
  local f = redis.call('HMGET', key, 'g:' .. edge, 'p:' .. edge, 't:' .. edge)
  local granted, before = f[1], f[2] or '0'
  if granted then
    -- What Redis knows is newer than what was declared.
    hold(edge, granted, before, granted, larger(before, posted))
  elseif declared ~= '0' and (itself or status == 'created') then
    -- What is written down is older than what Redis knows, and counts only where that was lost.
    hold(edge, '0', before, declared, larger(before, posted))
    -- As long as it has not said what it charged of that, it may have charged it all.
    -- A silent one stays silent: else what is written down of it would be struck off, and the next loss of Redis would find nothing.
    redis.call('HSET', key, 'c:' .. edge, declared, 't:' .. edge, itself and text(now) or '0')
    if itself and not f[3] then
      redis.call('HINCRBY', key, 'edges', 1)
    end
  end
end

local f = redis.call('HMGET', key, 'limit', 'spent', 'leased', 'open_at')
return { status, f[1], f[2], f[3], text(math.max(0, tonumber(f[4]) - now)) }
