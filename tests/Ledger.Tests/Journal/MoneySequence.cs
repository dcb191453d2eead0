using System.Globalization;
using Gateway.Contracts;
using Gateway.Ledger.Leases;
using Gateway.Ledger.Tests.Leases;
using Microsoft.Extensions.DependencyInjection;
using StackExchange.Redis;

namespace Gateway.Ledger.Tests.Journal;

/// <summary>
/// Edges that lease from two budgets, charge and die, over the real scripts, the real queue and the real journal: a random sequence, the same
/// again for the same seed but for what runs beside it. Records come in overlapping batches, in any order and again and again; Redis loses
/// everything in between. What the edges charged is the model, and every book must come to it.
/// </summary>
internal sealed class MoneySequence
{
    private readonly LedgerHost ledger;
    private readonly Random random;
    private readonly long limit;
    private readonly string[] windows = [Build.NewId(), Build.NewId("team")];
    private readonly List<(string Name, ModelEdge[] In)> edges = [];
    private readonly List<UsageRecord> records = [];
    private readonly List<UsageRecord> unsent = [];
    private readonly List<string> steps = [];

    public MoneySequence(LedgerHost ledger, int seed)
    {
        this.ledger = ledger;
        random = new(seed);
        limit = random.Next(3) == 0 ? long.MaxValue : random.Next(2_000, 40_000);
        steps.Add($"seed {seed}, limit {limit}");
    }

    /// <summary>What the edges charged in both windows together.</summary>
    public long Charged => edges.Sum(edge => edge.In.Sum(held => held.Charged));

    public int Records => records.Count;

    public async Task RunAsync(int count)
    {
        while (edges.Count < 3)
        {
            Join();
        }

        for (var step = 0; step < count; step++)
        {
            await StepAsync();
            foreach (var window in windows)
            {
                await HoldsTogetherAsync(window);
            }
        }

        await ComeToRestAsync();
    }

    private async Task StepAsync()
    {
        var (name, held) = edges[random.Next(edges.Count)];
        var at = random.Next(windows.Length);
        var lost = random.Next(12) == 0;
        switch (random.Next(24))
        {
            case < 7:
                await AskAsync(name, held[at], at, random.Next(1, 1_000), lost);
                break;
            case < 13:
                // One that has something, if there is one: else most of the steps would be nothing.
                var able = edges.FindAll(edge => Array.Exists(edge.In, held => held is { Alive: true, MustAsk: false, Room: > 0 }));
                (name, held) = able.Count > 0 ? able[random.Next(able.Count)] : (name, held);
                Charge(name, held);
                break;
            case < 16:
                await LiveAsync(name, held[at], at, giveBack: random.Next(2) * random.Next(1_000), lost);
                break;
            case < 20:
                await SendAsync(random.Next(1, 15));
                break;
            case 20:
                await LoseRedisAsync();
                break;
            case 21:
                await DieAsync(name, held);
                break;
            case 22:
                Join();
                break;
            default:
                ledger.Services.GetRequiredService<LeasePass>().LookAtAllSoon();
                break;
        }
    }

    private void Join() => edges.Add(($"edge-{Guid.NewGuid():N}", [new(), new()]));

    private async Task AskAsync(string name, ModelEdge held, int at, long least, bool lost)
    {
        if (!held.Alive)
        {
            return;
        }

        var want = least * random.Next(1, 40);
        var reply = await ScriptAsync(LeaseScript.Acquire, at, name, want, least, held.Charged, held.Granted);
        steps.Add($"{name[..9]} asks window {at} for {least}..{want}: {string.Join(' ', reply)}");
        await HearAsync(name, held, at, reply, lost);
    }

    private async Task LiveAsync(string name, ModelEdge held, int at, long giveBack, bool lost)
    {
        if (!held.Alive)
        {
            return;
        }

        giveBack = held.MustAsk ? 0 : Math.Min(giveBack, held.Room);
        var reply = await ScriptAsync(LeaseScript.Heartbeat, at, name, held.Charged, held.Granted, giveBack);
        steps.Add($"{name[..9]} lives in window {at}, gives back {giveBack}: {string.Join(' ', reply)}");
        await HearAsync(name, held, at, reply, lost);
    }

    private async Task HearAsync(string name, ModelEdge held, int at, string[] reply, bool lost)
    {
        if (reply[0] == "unknown")
        {
            await ledger.EnsureAsync(name, Build.Ensure(windows[at], limit, held.Granted));
        }
        else if (lost)
        {
            // It must not use what it would have given back, so it asks again before it spends.
            held.MustAsk = true;
        }
        else
        {
            (held.Granted, held.MustAsk) = (long.Parse(reply[3], CultureInfo.InvariantCulture), false);
        }
    }

    // One request, in one of the budgets or in both.
    private void Charge(string name, ModelEdge[] held)
    {
        int[] of = random.Next(3) switch { 0 => [0], 1 => [1], _ => [0, 1] };
        var amount = Math.Min(random.Next(1_000), of.Min(at => held[at].Alive && !held[at].MustAsk ? held[at].Room : 0));
        if (amount <= 0)
        {
            return;
        }

        foreach (var at in of)
        {
            held[at].Charged += amount;
            var charged = edges.Sum(edge => edge.In[at].Charged);
            Assert.True(charged <= limit, Said($"window {at}: charged {charged} of {limit}"));
        }

        var record = Build.Record(amount, name, windows: [.. of.Select(at => windows[at])]);
        records.Add(record);
        unsent.Add(record);
        steps.Add($"{name[..9]} charges {amount} in {string.Join(" and ", of)}");
    }

    // Messages of any records, sent before or not, in any order; the same one may stand in several of them at once.
    private async Task SendAsync(int count)
    {
        if (records.Count == 0)
        {
            return;
        }

        var batch = Enumerable.Range(0, count).Select(_ => random.Next(3) > 0 && unsent.Count > 0 ? unsent[random.Next(unsent.Count)] : records[random.Next(records.Count)]).ToArray();
        unsent.RemoveAll(batch.Contains);
        steps.Add($"sends {batch.Length} of {records.Count}, {unsent.Count} are left");
        var half = batch.Length / 2;
        await Task.WhenAll(ledger.PublishAsync(batch), ledger.PublishAsync(batch[half..], "another"), ledger.PublishAsync(batch.Reverse().ToArray(), "and-another"));
    }

    private async Task LoseRedisAsync()
    {
        steps.Add("Redis loses everything");
        await ledger.Redis.KeyDeleteAsync([.. windows.Select(window => (RedisKey)LeaseScript.KeyOf(window))]);
        for (var at = 0; at < windows.Length; at++)
        {
            // Everybody who lives says what it holds before the window opens; here at once, and then the time is over.
            foreach (var (name, held) in edges.Where(edge => edge.In[at].Alive))
            {
                await ledger.EnsureAsync(name, Build.Ensure(windows[at], limit, held[at].Granted));
                await LiveAsync(name, held[at], at, 0, lost: false);
            }

            if (await ledger.Redis.KeyExistsAsync(LeaseScript.KeyOf(windows[at])))
            {
                await ledger.Redis.HashSetAsync(LeaseScript.KeyOf(windows[at]), "open_at", 0);
            }
        }
    }

    // It is killed; what it has not sent lies in its spool. Ledger notices that it is silent, and writes down what it held.
    private async Task DieAsync(string name, ModelEdge[] held)
    {
        if (!held[0].Alive || edges.Count(edge => edge.In[0].Alive) < 2)
        {
            return;
        }

        steps.Add($"{name[..9]} dies");
        for (var at = 0; at < windows.Length; at++)
        {
            held[at].Alive = false;
            var key = LeaseScript.KeyOf(windows[at]);
            if (await ledger.Redis.HashExistsAsync(key, $"t:{name}"))
            {
                await ledger.Redis.HashSetAsync(key, $"t:{name}", DateTimeOffset.UtcNow.AddMinutes(-15).ToUnixTimeMilliseconds());
                await EventuallyAsync(async () =>
                {
                    var fields = await ledger.Redis.HashGetAsync(key, [$"g:{name}", $"p:{name}"]);
                    return (long)fields[0] <= (long)fields[1]
                        || await ledger.ScalarAsync<bool>($"select exists (select from held_by_silent_edges where window_id = '{windows[at]}' and edge_id = '{name}' and granted_nano = {(long)fields[0]})");
                }, "what the silent edge holds is written down");
            }
        }
    }

    // Granted is what was posted and what is open, to the nano-dollar, at every instant; and nobody has booked what nobody charged.
    private async Task HoldsTogetherAsync(string window)
    {
        var fields = (await ledger.Redis.HashGetAllAsync(LeaseScript.KeyOf(window))).ToDictionary(field => (string)field.Name!, field => field.Value, StringComparer.Ordinal);
        if (fields.Count == 0)
        {
            return;
        }

        var open = fields.Where(field => field.Key.StartsWith("g:", StringComparison.Ordinal)).Sum(field => Math.Max(0, (long)field.Value - (long)fields.GetValueOrDefault($"p:{field.Key[2..]}", 0)));
        Assert.True(open == (long)fields["leased"], Said($"{window}: leased {fields["leased"]}, but edges hold {open}"));
        var charged = edges.Sum(edge => edge.In[Array.IndexOf(windows, window)].Charged);
        // What was charged is spent or held by somebody, dead or alive: else it would be granted again.
        Assert.True((long)fields["spent"] + (long)fields["leased"] >= charged, Said($"{window}: {charged} were charged, but only {fields["spent"]} are spent and {fields["leased"]} held"));
        Assert.True((long)fields["spent"] <= charged, Said($"{window}: spent {fields["spent"]}, but {charged} were charged"));
    }

    private async Task ComeToRestAsync()
    {
        var all = records.ToArray();
        random.Shuffle(all);
        await Task.WhenAll(all.Chunk(7).Concat(all.Reverse().Chunk(40)).Select(batch => ledger.PublishAsync(batch, "successor")));
        foreach (var (name, held) in edges)
        {
            for (var at = 0; at < windows.Length; at++)
            {
                // The first answer may be that Redis does not know the window, or another total.
                for (var time = 0; time < 3; time++)
                {
                    await LiveAsync(name, held[at], at, long.MaxValue, lost: false);
                }
            }

            if (!held[0].Alive)
            {
                // Redis lost what it had said, so it is taken to have charged all: until nobody waits for its records any more.
                (await ledger.Http.PostAsync($"/internal/edges/{name}/closed", null)).EnsureSuccessStatusCode();
                await EventuallyAsync(
                    () => ledger.ScalarAsync<bool>($"with over as (update closed_edges set settled_at = settled_at - interval '2 days' where edge_id = '{name}' and settled_at is not null returning 1) select exists (select from over)"),
                    "the queue was read to the edge's end");
            }
        }

        for (var at = 0; at < windows.Length; at++)
        {
            var (window, charged) = (windows[at], edges.Sum(edge => edge.In[at].Charged));
            await EventuallyAsync(async () => await SumAsync($"journal.booked where '{window}' = any(windows)", "amount_nano") == charged, $"the journal has {charged} of {window}");
            Assert.True(await SumAsync($"windows where window_id = '{window}'", "spent_nano") == charged, Said($"{window}: its total is not {charged}"));
            foreach (var (name, held) in edges)
            {
                var posted = await SumAsync($"window_edges where window_id = '{window}' and edge_id = '{name}'", "posted_nano");
                Assert.True(posted == held[at].Charged, Said($"{window}: {name} charged {held[at].Charged}, posted {posted}"));
            }

            if (await ledger.Redis.KeyExistsAsync(LeaseScript.KeyOf(window)))
            {
                await EventuallyAsync(
                    async () => (await ledger.Redis.HashGetAsync(LeaseScript.KeyOf(window), ["spent", "leased"])) is var found && (long)found[0] == charged && (long)found[1] == 0,
                    $"Redis has {charged} as spent of {window}, and nobody holds anything");
                await HoldsTogetherAsync(window);
            }
        }

        Assert.True(await ledger.ScalarAsync<long>($"select count(*) from journal.booked where windows && array['{windows[0]}', '{windows[1]}']") == records.Count, Said("each record is one entry"));
    }

    private async Task<long> SumAsync(string of, string what) => await ledger.ScalarAsync<long>($"select coalesce(sum({what}), 0)::bigint from {of}");

    private async Task<string[]> ScriptAsync(string script, int at, string edge, params long[] amounts) =>
        (string[])(await ledger.Redis.ScriptEvaluateAsync(script, [LeaseScript.KeyOf(windows[at])], [edge, .. amounts.Select(amount => (RedisValue)amount)]))!;

    private Task EventuallyAsync(Func<Task<bool>> condition, string what) => Eventually.HoldsAsync(
        async () =>
        {
            if (await condition())
            {
                return true;
            }

            ledger.Services.GetRequiredService<LeasePass>().LookAtAllSoon();
            return false;
        }, Said(what), seconds: 60);

    private string Said(string what) => $"{what}\n{string.Join('\n', steps)}";
}
