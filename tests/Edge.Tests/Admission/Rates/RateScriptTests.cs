using FsCheck;
using FsCheck.Fluent;
using Gateway.Edge.Admission.Rates;
using Gateway.TestKit;
using StackExchange.Redis;

namespace Gateway.Edge.Tests.Admission.Rates;

/// <summary>The script and the rule are one: random histories of one window, on a clock of the test's own, compared answer by answer.</summary>
public sealed class RateScriptTests
{
    private const long Window = 2_400;
    private const long Width = 10;
    private const long ShortHold = 20;
    private const long LongHold = 200;

    private const string TestClock = """
        local now = tonumber(ARGV[#ARGV])
        local unique = 'test'

        """;

    private static int s_count;

    private sealed record Step(long Later, long Least, long More, long Extra, long Limit, (long Back, long Amount)[] Corrections);

    [Fact]
    public async Task The_script_grants_what_the_rule_grants()
    {
        await using var redis = await ConnectionMultiplexer.ConnectAsync((await Servers.Shared.RedisAsync()).ConnectionString);
        var database = redis.GetDatabase();
        var correction = from back in Gen.Choose(-20, 260) from amount in Gen.Choose(-30, 30) select ((long)back, (long)amount);
        var step =
            from later in Gen.Frequency((6, Gen.Choose(0, 15)), (3, Gen.Choose(0, 400)), (1, Gen.Choose(0, 6_000)), (1, Gen.Choose(-500, 0)))
            from least in Gen.Choose(1, 12)
            from more in Gen.Choose(0, 30)
            from extra in Gen.Choose(0, 20)
            from limit in Gen.Elements(10, 40, 40, 40, 200)
            from corrections in Gen.ArrayOf(correction).Resize(3)
            select new Step(later, least, more, extra, limit, corrections);

        Prop.ForAll(
            Arb.From(Gen.NonEmptyListOf(step)),
            steps => Compare(database, steps)).Check(Config.QuickThrowOnFailure.WithMaxTest(60).WithEndSize(60));
    }

    private static void Compare(IDatabase database, IEnumerable<Step> steps)
    {
        var model = new Model(new RateWindow(Window, Width));
        var key = (RedisKey)$"rate:{{test-{Interlocked.Increment(ref s_count)}}}";
        long clock = 1_700_000_000_000;
        foreach (var step in steps)
        {
            clock += step.Later;
            var need = step.More == 0 ? 0 : step.Least + step.More;
            var bucket = clock / Width;
            RateUse[] corrections = [.. step.Corrections.Select(known => new RateUse(bucket - known.Back, known.Amount))];

            var expected = model.Apply(clock, step.Limit, step.Least, need, step.Extra, corrections);
            var arguments = new List<RedisValue>
            {
                Window, Width, step.Limit, "", 0, step.Least, need, step.Extra, ShortHold, LongHold, 0, 0, corrections.Length,
            };
            foreach (var known in corrections)
            {
                arguments.Add(known.Bucket);
                arguments.Add(known.Amount);
            }

            arguments.Add(clock);
            var reply = (RedisValue[])database.ScriptEvaluate(TestClock + RateScript.WindowBody, [key], [.. arguments])!;

            Assert.Equal("ok", (string?)reply[0]);
            Assert.Equal(expected.Granted, (long)reply[4]);
            Assert.Equal(expected.Sum, (long)reply[5]);
            Assert.Equal(expected.Granted < need ? [.. model.Uses] : [], Uses(reply));
        }

        database.KeyDelete(key);
    }

    private static RateUse[] Uses(RedisValue[] reply) =>
        [.. Enumerable.Range(0, (reply.Length - 7) / 2).Select(i => new RateUse((long)reply[7 + (2 * i)], (long)reply[8 + (2 * i)]))];

    /// <summary>The whole window as a value.</summary>
    private sealed class Model(RateWindow rule)
    {
        private readonly SortedDictionary<long, long> buckets = [];
        private long latest = long.MinValue;

        public IEnumerable<RateUse> Uses => buckets.Select(bucket => new RateUse(bucket.Key, bucket.Value));

        public (long Granted, long Sum) Apply(long clock, long limit, long least, long need, long extra, RateUse[] corrections)
        {
            latest = Math.Max(latest, clock);
            var expired = rule.ExpiredAt(latest);
            foreach (var bucket in buckets.Keys.Where(bucket => bucket <= expired).ToList())
            {
                buckets.Remove(bucket);
            }

            foreach (var correction in corrections.Where(correction => correction.Bucket > expired))
            {
                Add(Math.Min(correction.Bucket, rule.BucketOf(latest + LongHold)), correction.Amount);
            }

            var (granted, ahead) = RateWindow.Grant(limit - buckets.Values.Sum(), least, need, extra);
            Add(rule.BucketOf(latest + (ahead ? LongHold : ShortHold)), granted);
            return (granted, buckets.Values.Sum());
        }

        private void Add(long bucket, long amount)
        {
            var after = Math.Max(0, buckets.GetValueOrDefault(bucket) + amount);
            if (after > 0)
            {
                buckets[bucket] = after;
            }
            else
            {
                buckets.Remove(bucket);
            }
        }
    }
}
