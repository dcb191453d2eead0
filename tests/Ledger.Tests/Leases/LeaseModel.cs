using System.Collections.Immutable;
using System.Globalization;
using Gateway.Ledger.Leases;
using StackExchange.Redis;

namespace Gateway.Ledger.Tests.Leases;

/// <summary>
/// One budget window with edges, a journal and a post between them, run twice at once: through the scripts in Redis and through the rule.
/// Every step compares replies and states. Time is the test's: the rule's clock stands, and the fields of time in Redis are written over.
/// </summary>
internal sealed class LeaseModel
{
    public const long TimeToLive = 600_000;
    private const long Hour = 3_600_000;

    // No silent edge is given up here: that is a bound in time, and time is the test's.
    private const long Never = 1L << 52;
    private const long Now = 10 * Hour;

    private static readonly string s_install = LeaseScript.Read("install");
    private static readonly string s_post = LeaseScript.Read("post");
    private static readonly string s_reclaim = LeaseScript.Read("reclaim");
    private static readonly string s_park = LeaseScript.Read("park");

    private readonly IDatabase redis;
    private readonly string key;
    private readonly long limit;
    private readonly Dictionary<string, ModelEdge> edges = new(StringComparer.Ordinal);
    private readonly List<(long Spent, long Version, (string Edge, long Posted)[] Edges)> underWay = [];
    private LeaseWindow? window;
    private long spent;
    private long version;
    private bool installedBefore;
    private IReadOnlyList<(string EdgeId, long Granted)>? parked;
    private (string EdgeId, long Granted)[] noted = [];

    public LeaseModel(IDatabase redis, string id, long limit)
    {
        this.redis = redis;
        this.limit = limit;
        key = LeaseScript.KeyOf(id);
    }

    public List<string> Steps { get; } = [];

    public long Charged => edges.Values.Sum(edge => edge.Charged);

    /// <summary>One step, chosen by the digits of <paramref name="code"/>.</summary>
    public void Step(int code)
    {
        var name = $"e{code % 4}";
        var edge = edges.TryGetValue(name, out var known) ? known : edges[name] = new ModelEdge();
        var amount = 1 + (code / 100 % 997);
        var lost = code / 7 % 11 == 0;
        switch (code / 4 % 16)
        {
            case 0 or 1 or 2 or 3:
                Acquire(name, edge, want: amount * (code / 13 % 40), least: amount, lost);
                break;
            case 4 or 5 or 6:
                Charge(name, edge, amount);
                break;
            case 7 or 8:
                Heartbeat(name, edge, giveBack: 0, lost);
                break;
            case 9:
                Heartbeat(name, edge, giveBack: amount, lost);
                break;
            case 10 or 11:
                Book(name, edge, amount);
                break;
            case 12 or 13:
                Deliver(code / 17, again: code / 19 % 3 == 0);
                break;
            case 14:
                Silence(name, edge, dies: code / 23 % 2 == 0);
                Reclaim([]);
                break;
            default:
                switch (code / 29 % 8)
                {
                    case 0 or 1:
                        LoseRedis();
                        break;
                    case 2 or 3:
                        Park();
                        break;
                    default:
                        Reclaim([]);
                        break;
                }

                break;
        }

        // What was charged is at most the limit, whoever died or fell silent with it, and whatever Redis forgot.
        Assert.True(Charged <= limit, $"charged {Charged} of {limit}\n{string.Join('\n', Steps)}");
    }

    /// <summary>Everything is booked and delivered, the living give back, the dead are closed: nothing is left open.</summary>
    public void ComeToRest()
    {
        foreach (var (name, edge) in edges)
        {
            Book(name, edge, long.MaxValue);
        }

        while (underWay.Count > 0)
        {
            Deliver(underWay.Count - 1, again: false);
        }

        foreach (var (name, edge) in edges.Where(pair => pair.Value.Alive))
        {
            Heartbeat(name, edge, 0, lost: false);
            Heartbeat(name, edge, long.MaxValue / 4, lost: false);
        }

        foreach (var forGood in (bool[])[false, true])
        {
            Reclaim([.. edges.Where(pair => !pair.Value.Alive).Select(pair => new ClosedEdge(pair.Key, forGood))]);
        }

        if (window is not null)
        {
            Assert.Equal(Charged, window.Spent);
            Assert.True(window.Leased == 0, $"leased {window.Leased} at rest\n{string.Join('\n', Steps)}");
        }
    }

    private void Acquire(string name, ModelEdge edge, long want, long least, bool lost)
    {
        if (!edge.Alive)
        {
            return;
        }

        var reply = Both(
            $"{name} acquires {least}..{want}",
            () => Read((string[])redis.ScriptEvaluate(LeaseScript.Acquire, [key], [name, want, least, edge.Charged, edge.Granted])!),
            () => LeaseRule.Acquire(window, name, want, least, edge.Charged, edge.Granted, Now));
        if (reply.Status == LeaseStatus.Granted)
        {
            Assert.InRange(reply.Moved, Math.Min(1, least), Math.Max(want, least));
            Assert.True(reply.Available >= 0, "a grant went over the limit");
        }

        After(name, edge, reply, lost);
    }

    private void Heartbeat(string name, ModelEdge edge, long giveBack, bool lost)
    {
        if (!edge.Alive)
        {
            return;
        }

        giveBack = Math.Min(giveBack, edge.Room);
        var reply = Both(
            $"{name} lives, gives back {giveBack}",
            () => Read((string[])redis.ScriptEvaluate(LeaseScript.Heartbeat, [key], [name, edge.Charged, edge.Granted, giveBack])!),
            () => LeaseRule.Heartbeat(window, name, edge.Charged, edge.Granted, giveBack, Now));
        After(name, edge, reply, lost);
    }

    private void After(string name, ModelEdge edge, LeaseReply reply, bool lost)
    {
        if (reply.Status == LeaseStatus.Unknown)
        {
            Install(name, edge);
            return;
        }

        if (lost)
        {
            // The edge hears nothing. It must not use what it would have given back, so it asks again before it spends.
            Steps.Add("  (the reply is lost)");
            edge.MustAsk = true;
            return;
        }

        edge.Granted = reply.Granted;
        edge.MustAsk = false;
    }

    private void Charge(string name, ModelEdge edge, long amount)
    {
        if (!edge.Alive || edge.MustAsk)
        {
            return;
        }

        amount = Math.Min(amount, edge.Room);
        if (amount > 0)
        {
            Steps.Add($"{name} charges {amount}");
            edge.Charged += amount;
        }
    }

    // The journal books some of what an edge charged; the word of it is under way to Redis.
    private void Book(string name, ModelEdge edge, long amount)
    {
        amount = Math.Min(amount, edge.Charged - edge.Booked);
        if (amount <= 0)
        {
            return;
        }

        edge.Booked += amount;
        spent += amount;
        version++;
        underWay.Add((spent, version, [(name, edge.Booked)]));
        Steps.Add($"journal books {amount} of {name}");
    }

    private void Deliver(int which, bool again)
    {
        if (underWay.Count == 0)
        {
            return;
        }

        var post = underWay[which % underWay.Count];
        if (!again)
        {
            underWay.Remove(post);
        }

        Steps.Add($"posts version {post.Version}");
        redis.ScriptEvaluate(s_post, [key], [post.Spent, post.Version, .. post.Edges.SelectMany(edge => new RedisValue[] { edge.Edge, edge.Posted })]);
        window = LeaseRule.Post(window, post.Spent, post.Version, post.Edges);
        Compare();
    }

    private void Install(string name, ModelEdge edge)
    {
        // Redis was lost: whoever lives says what it holds before the window opens. Here everybody does at once, in one step each.
        Steps.Add($"{name} has the window installed, holding {edge.Granted}");
        var opensIn = installedBefore && window is null && parked is null ? Hour : 0;
        installedBefore = true;
        DeclaredHolding[] holdings =
        [
            .. (parked ?? (window is null ? noted : [])).Where(held => held.EdgeId != name).Select(held => new DeclaredHolding(held.EdgeId, held.Granted, edges[held.EdgeId].Booked, WrittenDown: true)),
            new(name, edge.Granted, edge.Booked, WrittenDown: false),
        ];
        parked = null;
        redis.ScriptEvaluate(
            s_install, [key], [limit, 1, spent, version, opensIn, 0, 0, 0, .. holdings.SelectMany(held => new RedisValue[] { held.EdgeId, held.Declared, held.Posted, held.WrittenDown ? 0 : 1 })]);
        window = LeaseRule.Install(window, limit, 1, spent, version, opensIn, holdings, Now);
        SetTimes();
        Compare();
        if (window.OpenAt > Now)
        {
            foreach (var (other, holding) in edges.Where(pair => pair.Value.Alive && pair.Key != name))
            {
                Heartbeat(other, holding, 0, lost: false);
            }

            // The time to live is over: it opens.
            Steps.Add("opens");
            redis.HashSet(key, "open_at", 0);
            window = window with { OpenAt = 0 };
        }
    }

    // It is not heard of for longer than the time to live: paused (it asks before it goes on) or dead.
    private void Silence(string name, ModelEdge edge, bool dies)
    {
        if (!edge.Alive)
        {
            return;
        }

        Steps.Add($"{name} {(dies ? "dies" : "is paused")}");
        edge.Alive = !dies;
        edge.MustAsk = true;
        if (window?.Edges.ContainsKey(name) == true)
        {
            redis.HashSet(key, $"t:{name}", 0);
            window = window with { Edges = window.Edges.SetItem(name, window.Edges[name] with { SeenAt = 0 }) };
        }
    }

    private void Reclaim(ClosedEdge[] closed)
    {
        Steps.Add($"reclaims (closed: {string.Join(' ', closed.Select(edge => edge.EdgeId))})");
        var reply = (string[])redis.ScriptEvaluate(s_reclaim, [key], [TimeToLive, Hour, Never, .. closed.SelectMany(edge => (RedisValue[])[edge.EdgeId, edge.ForGood ? "posted" : "charged"])])!;
        var (after, given) = LeaseRule.Reclaim(window, TimeToLive, Hour, Never, closed, Now);
        Assert.Equal(given, long.Parse(reply[1], CultureInfo.InvariantCulture));
        window = after;
        // Ledger writes down what silent edges hold: it survives a loss of Redis.
        noted = reply[0] == "reclaimed" ? [.. reply.Skip(4).Chunk(2).Select(pair => (pair[0], Number(pair[1])))] : noted;
        Compare();
    }

    // A Ledger stops. The next one knows what is held, so nobody is waited for.
    private void Park()
    {
        if (window is null)
        {
            return;
        }

        var reply = (string[])redis.ScriptEvaluate(s_park, [key], [TimeToLive])!;
        var held = LeaseRule.Park(window, TimeToLive, ImmutableHashSet<string>.Empty, Now);
        Steps.Add($"parks: {string.Join(' ', reply)}");
        Assert.Equal(held is null ? "used" : "parked", reply[0]);
        if (held is not null)
        {
            var said = reply.Skip(1).Chunk(2).Select(pair => (pair[0], Number(pair[1]))).Order();
            Assert.Equal(held.Order(), said);
            (parked, window) = (held, null);
        }

        Compare();
    }

    private void LoseRedis()
    {
        Steps.Add("Redis loses everything");
        if (window is null)
        {
            // Parked, or lost already: what is written down stays.
            return;
        }

        redis.KeyDelete(key);
        window = null;
    }

    private LeaseReply Both(string step, Func<LeaseReply> script, Func<(LeaseWindow?, LeaseReply)> rule)
    {
        var done = script();
        (window, var expected) = rule();
        Steps.Add($"{step}: {done}");
        // How long until it opens hangs on Redis' clock; that it waits does not.
        Assert.Equal(expected with { OpensInMs = 0 }, done with { OpensInMs = 0 });
        SetTimes();
        Compare();
        return done;
    }

    // The test's clock stands at Now: what was heard of in Redis just now has the rule's time.
    private void SetTimes()
    {
        foreach (var (name, holding) in window?.Edges ?? ImmutableSortedDictionary<string, EdgeHolding>.Empty)
        {
            if (holding.SeenAt == Now)
            {
                Assert.True((long)redis.HashGet(key, $"t:{name}") > Now);
            }
        }
    }

    private void Compare() => LeaseFields.AssertAre(window, redis.HashGetAll(key), Steps);

    private static LeaseReply Read(string[] reply) => new(
        Enum.Parse<LeaseStatus>(reply[0], ignoreCase: true), Number(reply[1]), Number(reply[2]), Number(reply[3]), Number(reply[4]), Number(reply[5]), Number(reply[6]), Number(reply[7]), Number(reply[8]));

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}
