namespace Gateway.Edge.Admission.Rates;

/// <summary>The scripts of the rate limits. Each acts on one key: <c>rate:{owner|kind}</c> or <c>slots:{owner|kind}</c>.</summary>
internal static class RateScript
{
    /// <summary>Redis' own clock: the edges' clocks may differ. The test that compares the rule with the script puts another in its place.</summary>
    public const string Clock = """
        local clock = redis.call('TIME')
        local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
        local unique = clock[1] .. '-' .. clock[2]

        """;

    /// <summary>
    /// A Redis that started a moment ago and does not know this key may have lost it. Asked by an edge that is older than this Redis, the key
    /// stays closed until all edges had time to tell what they hold.
    /// </summary>
    private const string OpenAt = """
        local function openAt(settle, age)
          local info = redis.pcall('INFO', 'server')
          local seconds = type(info) == 'string' and string.match(info, 'uptime_in_seconds:(%d+)')
          local up = seconds and tonumber(seconds) * 1000 or settle
          if up < settle and age > up + 1000 then return now + settle - up end
          return 0
        end

        """;

    /// <summary>
    /// A window's hash: <c>born</c> (changes when Redis lost it), <c>at</c> (the clock never goes back), <c>sum</c> of all buckets,
    /// <c>low</c> (the oldest bucket that counts), <c>open</c>, and one field for each bucket. Arguments: window, width, limit, born as the
    /// edge knows it, deadline, least, need, extra, short and long hold, settle, age, the number of corrections and the corrections
    /// (bucket, amount). The reply: status, now, born, bucket, granted, sum, wait, and when not everything needed was granted all buckets.
    /// </summary>
    public const string WindowBody = OpenAt + """
        local key = KEYS[1]
        local window, width, limit = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
        local known, deadline = ARGV[4], tonumber(ARGV[5])
        local least, need, extra = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
        local short, long = tonumber(ARGV[9]), tonumber(ARGV[10])
        local settle, age = tonumber(ARGV[11]), tonumber(ARGV[12])
        local function text(number) return string.format('%.0f', number) end

        local state = redis.call('HMGET', key, 'born', 'at', 'sum', 'low', 'open')
        now = math.max(now, tonumber(state[2] or 0))
        -- A Redis that hung runs what the edge gave up long ago: that must take nothing.
        if deadline > 0 and now > deadline then return {'late', now, state[1] or '', 0, 0, 0, 0} end

        local expired = math.floor((now - window) / width)
        local born, sum, low, open = state[1], tonumber(state[3] or 0), tonumber(state[4] or 0), tonumber(state[5] or 0)
        if not born then
          born, sum, low, open = unique, 0, expired + 1, openAt(settle, age)
          redis.call('HSET', key, 'born', born, 'at', text(now), 'sum', '0', 'low', text(low), 'open', text(open))
          redis.call('PEXPIRE', key, window + long + 10000)
        end
        if known ~= '' and known ~= born then return {'lost', now, born, 0, 0, 0, 0} end

        if low <= expired then
          local fields = {}
          for bucket = low, math.min(expired, low + 4000) do fields[#fields + 1] = text(bucket) end
          local amounts = redis.call('HMGET', key, unpack(fields))
          for index, amount in ipairs(amounts) do
            if amount then
              sum = sum - tonumber(amount)
              redis.call('HDEL', key, fields[index])
            end
          end
          low = expired + 1
        end

        local function add(bucket, amount)
          local field = text(bucket)
          local before = tonumber(redis.call('HGET', key, field) or 0)
          local after = math.max(0, before + amount)
          sum = sum + after - before
          if after > 0 then redis.call('HSET', key, field, text(after)) elseif before > 0 then redis.call('HDEL', key, field) end
        end

        local newest = math.ceil((now + long) / width)
        for index = 1, tonumber(ARGV[13]) do
          local bucket = tonumber(ARGV[12 + 2 * index])
          if bucket >= low then add(math.min(bucket, newest), tonumber(ARGV[13 + 2 * index])) end
        end

        local granted, bucket = 0, 0
        local available = limit - sum
        if open <= now and available > 0 and (need == 0 or available >= least) then
          local needed = math.min(need, available)
          local ahead = math.min(extra, math.floor((available - needed) / 8))
          granted = needed + ahead
          bucket = math.ceil((now + (ahead > 0 and long or short)) / width)
          if granted > 0 then add(bucket, granted) end
        end

        redis.call('HSET', key, 'at', text(now), 'sum', text(sum), 'low', text(low))
        redis.call('PEXPIRE', key, window + long + 10000)
        local reply = {open > now and 'settling' or 'ok', now, born, bucket, granted, sum, math.max(0, open - now)}
        if granted < need then
          local fields = {}
          for index = low, newest do fields[#fields + 1] = text(index) end
          local amounts = redis.call('HMGET', key, unpack(fields))
          for index, amount in ipairs(amounts) do
            if amount then
              reply[#reply + 1] = tonumber(fields[index])
              reply[#reply + 1] = tonumber(amount)
            end
          end
        end
        return reply
        """;

    /// <summary>Takes, gives back and corrects in a window that slides.</summary>
    public const string Window = Clock + WindowBody;

    /// <summary>
    /// The slots' hash has one field for each edge: <c>count expiry</c>. Arguments: the edge's field, how many it wants, how many it has and
    /// keeps in any case, limit, time to live, settle, age. The reply: status, how many it has now, how many the others have, wait.
    /// </summary>
    public const string Slots = Clock + OpenAt + """
        local key, me = KEYS[1], ARGV[1]
        local want, keep, limit = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
        local live, settle, age = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
        local function text(number) return string.format('%.0f', number) end

        local fields = redis.call('HGETALL', key)
        local open = 0
        if #fields == 0 then
          open = openAt(settle, age)
          redis.call('HSET', key, 'open', text(open))
        end
        local others = 0
        for index = 1, #fields, 2 do
          if fields[index] == 'open' then
            open = tonumber(fields[index + 1])
          elseif fields[index] ~= me then
            local count, expiry = string.match(fields[index + 1], '^(%d+) (%d+)$')
            if tonumber(expiry) > now then others = others + tonumber(count) else redis.call('HDEL', key, fields[index]) end
          end
        end

        local count = math.max(keep, math.min(want, limit - others))
        if open > now then count = math.min(want, keep) end
        if count > 0 then
          redis.call('HSET', key, me, text(count) .. ' ' .. text(now + live))
        else
          redis.call('HDEL', key, me)
        end
        -- Longer than anything in it: an emptied hash that goes looks like a lost one only to a Redis that has just started.
        redis.call('PEXPIRE', key, live + settle + 10000)
        return {open > now and 'settling' or 'ok', count, others, math.max(0, open - now)}
        """;
}
