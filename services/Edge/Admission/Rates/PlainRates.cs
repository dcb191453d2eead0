using System.Globalization;
using System.Security.Cryptography;
using StackExchange.Redis;

namespace Gateway.Edge.Admission.Rates;

/// <summary>
/// The rate limits without scripts and without WATCH: one transaction adds what is asked for and reads everything; what was too much is
/// taken off again before anything of it is used. So a limit is never passed; two who ask at once may both be told to come again though one
/// of them would have fitted. The keys are not those of the scripts (<c>plain:…</c>).
/// </summary>
internal sealed class PlainRates(IConnectionMultiplexer redis, RateOptions options)
{
    private const string Born = "born";

    public async Task<WindowReply> WindowAsync(string name, WindowAsk ask, TimeProvider time)
    {
        var rule = options.Rule;
        var database = redis.GetDatabase();
        var key = (RedisKey)$"plain:rate:{{{name}}}";
        var now = ask.Clock is { } clock ? clock.LatestAt(time.GetTimestamp() / Math.Max(1, time.TimestampFrequency / 1_000)) : await NowAsync(database);

        // 1. Adds and reads. The bucket is far enough ahead for a transaction that takes its time.
        var want = ask.Need > long.MaxValue - ask.Extra ? long.MaxValue : ask.Need + ask.Extra;
        want = Math.Min(want, ask.Limit);
        var hold = ask.Extra > 0 ? options.HoldMs : ask.ShortHoldMs;
        var bucket = rule.BucketOf(now + hold + 20);
        var transaction = database.CreateTransaction();
        _ = transaction.HashSetAsync(key, Born, Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8)), When.NotExists);
        Add(transaction, key, ask.Corrections, 1);
        if (want > 0)
        {
            _ = transaction.HashIncrementAsync(key, bucket, want);
        }

        _ = transaction.KeyExpireAsync(key, options.Window + options.Hold + TimeSpan.FromSeconds(10));
        var clockTask = transaction.ExecuteAsync("TIME");
        var readTask = transaction.HashGetAllAsync(key);
        await transaction.ExecuteAsync();
        now = Milliseconds(await clockTask);
        var (born, uses, stale) = Read(await readTask, rule.ExpiredAt(now));
        if (stale.Length > 0)
        {
            await database.HashDeleteAsync(key, stale);
        }

        // 2. What must not stand is undone.
        var undo = database.CreateTransaction();
        if (ask.Born.Length > 0 && ask.Born != born)
        {
            Add(undo, key, ask.Corrections, -1);
            await TakeOffAsync(undo, key, bucket, want);
            return new WindowReply(RateStatus.Lost, now, born, 0, 0, 0, 0, []);
        }

        var needed = rule.BucketOf(now + hold);
        if (bucket < needed || bucket > needed + (20 / rule.Width) + 2 + (options.TimeoutMs / rule.Width))
        {
            // The clock that the edge knew is not Redis' any more.
            Add(undo, key, ask.Corrections, -1);
            await TakeOffAsync(undo, key, bucket, want);
            return new WindowReply(RateStatus.Late, now, born, 0, 0, 0, 0, []);
        }

        var sum = uses.Sum(use => use.Amount) - want;
        var (granted, _) = RateWindow.Grant(ask.Limit - sum, ask.Least, ask.Need, ask.Extra);
        await TakeOffAsync(undo, key, bucket, want - granted);
        if (granted < ask.Need)
        {
            uses = [.. uses.Select(use => use.Bucket == bucket ? use with { Amount = use.Amount - want + granted } : use)];
        }

        return new WindowReply(RateStatus.Ok, now, born, bucket, granted, sum + granted, 0, granted < ask.Need ? uses : []);
    }

    public async Task<SlotReply> SlotsAsync(string name, string field, long want, long keep, long limit)
    {
        var database = redis.GetDatabase();
        var key = (RedisKey)$"plain:slots:{{{name}}}";
        var now = await NowAsync(database);
        var target = Math.Max(want, keep);
        var transaction = database.CreateTransaction();
        Set(transaction, key, field, target, now);
        _ = transaction.KeyExpireAsync(key, options.SlotTimeToLive * 2);
        var clockTask = transaction.ExecuteAsync("TIME");
        var readTask = transaction.HashGetAllAsync(key);
        await transaction.ExecuteAsync();
        now = Milliseconds(await clockTask);

        long others = 0;
        foreach (var entry in await readTask)
        {
            var parts = ((string?)entry.Value ?? "").Split(' ');
            if (entry.Name != field && parts.Length == 2 && long.Parse(parts[1], CultureInfo.InvariantCulture) > now)
            {
                others += long.Parse(parts[0], CultureInfo.InvariantCulture);
            }
        }

        var count = Math.Max(keep, Math.Min(target, limit - others));
        if (count != target)
        {
            var correct = database.CreateTransaction();
            Set(correct, key, field, count, now);
            await correct.ExecuteAsync();
        }

        return new SlotReply(RateStatus.Ok, count, others, 0);
    }

    private void Set(ITransaction transaction, RedisKey key, string field, long count, long now)
    {
        if (count > 0)
        {
            _ = transaction.HashSetAsync(key, field, string.Create(CultureInfo.InvariantCulture, $"{count} {now + options.SlotMs}"));
        }
        else
        {
            _ = transaction.HashDeleteAsync(key, field);
        }
    }

    private static void Add(ITransaction transaction, RedisKey key, List<RateUse> corrections, long sign)
    {
        foreach (var correction in corrections)
        {
            _ = transaction.HashIncrementAsync(key, correction.Bucket, sign * correction.Amount);
        }
    }

    private static async Task TakeOffAsync(ITransaction transaction, RedisKey key, long bucket, long amount)
    {
        if (amount != 0)
        {
            _ = transaction.HashIncrementAsync(key, bucket, -amount);
        }

        await transaction.ExecuteAsync();
    }

    private static (string Born, RateUse[] Uses, RedisValue[] Stale) Read(HashEntry[] fields, long expired)
    {
        var born = "";
        var uses = new List<RateUse>(fields.Length);
        var stale = new List<RedisValue>();
        foreach (var field in fields)
        {
            if (field.Name == Born)
            {
                born = (string?)field.Value ?? "";
            }
            else if ((long)field.Name <= expired)
            {
                stale.Add(field.Name);
            }
            else if ((long)field.Value > 0)
            {
                uses.Add(new RateUse((long)field.Name, (long)field.Value));
            }
        }

        uses.Sort(static (left, right) => left.Bucket.CompareTo(right.Bucket));
        return (born, [.. uses], [.. stale]);
    }

    private static async Task<long> NowAsync(IDatabase database) => Milliseconds(await database.ExecuteAsync("TIME"));

    private static long Milliseconds(RedisResult time)
    {
        var parts = (RedisValue[])time!;
        return ((long)parts[0] * 1_000) + ((long)parts[1] / 1_000);
    }
}
