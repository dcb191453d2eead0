using Gateway.Bench.Peers;
using Gateway.Bench.Reporting;
using Gateway.Bench.Scenarios;
using Gateway.TestKit;

namespace Gateway.Bench;

/// <summary>A run: starts the peers, goes through the scenarios round by round, keeps every sample, ends what it started.</summary>
internal sealed class BenchRun(BenchOptions options, CancellationToken cancellation) : IAsyncDisposable
{
    private static readonly TimeSpan s_startLimit = TimeSpan.FromSeconds(60);

    private readonly List<Peer> started = [];

    public BenchOptions Options { get; } = options;

    public CancellationToken Cancellation { get; } = cancellation;

    public int WarmUpAnswers => Options.Quick ? 30_000 : 200_000;

    public TimeSpan WarmUpLimit => TimeSpan.FromSeconds(Options.Quick ? 10 : 30);

    /// <summary>The provider without a proxy.</summary>
    public Peer Upstream { get; private set; } = null!;

    /// <summary>All proxies.</summary>
    public IReadOnlyList<Peer> Peers { get; private set; } = [];

    /// <summary>YARP and the gateway.</summary>
    public IEnumerable<Peer> Core => Peers.Where(peer => peer.Name is "yarp" or "edge");

    public GatewayPeer? Gateway { get; private set; }

    public List<Sample> Samples { get; } = [];

    /// <summary>What could not take part, and why.</summary>
    public List<string> Notes { get; } = [];

    public async Task StartAsync()
    {
        Upstream = Keep(PeerPrograms.Upstream());
        await AnswersAsync(Upstream);
        List<Peer> begun = [];
        foreach (var (name, start) in new (string, Func<Task<Peer?>>)[]
        {
            ("yarp", () => Task.FromResult<Peer?>(PeerPrograms.Yarp("yarp", Upstream))),
            ("nginx", () => Task.FromResult<Peer?>(PeerPrograms.Nginx(Upstream))),
            ("haproxy", () => Task.FromResult<Peer?>(PeerPrograms.Haproxy(Upstream))),
            ("edge", async () => Gateway = await GatewayPeer.StartAsync(Upstream, Cancellation)),
            ("portkey", () => Task.FromResult<Peer?>(PeerPrograms.Portkey(Upstream))),
            ("yarp-b", () => Task.FromResult<Peer?>(PeerPrograms.Yarp("yarp-b", Upstream))),
        })
        {
            if (Options.Peers.Count > 0 && !Options.Peers.Contains(name))
            {
                continue;
            }

            if (await start() is not { } peer)
            {
                Note($"{name} is left out: it is not installed here and could not be had.");
                continue;
            }

            begun.Add(Keep(peer));
        }

        List<Peer> answering = [];
        foreach (var peer in begun)
        {
            if (await AnswersAsync(peer))
            {
                answering.Add(peer);
            }
        }

        Peers = answering;
        if (Gateway is not null)
        {
            // Its start is work too: wait until that is over.
            await Gateway.SettleAsync(Cancellation);
            await Gateway.MeasureIdleAsync(TimeSpan.FromSeconds(Options.Quick ? 2 : 10), Cancellation);
        }
    }

    /// <summary>
    /// Loads a peer until it has given so many answers. Compiled code is replaced by better code as it is called more: by number, because a
    /// busy machine gets nowhere in a fixed time.
    /// </summary>
    public async Task WarmUpAsync(int answers, Func<Task<long>> load)
    {
        var limit = Environment.TickCount64 + (long)WarmUpLimit.TotalMilliseconds;
        for (var given = 0L; given < answers && Environment.TickCount64 < limit;)
        {
            given += await load();
        }
    }

    public async Task RunAsync(Scenario scenario)
    {
        var peers = scenario.Choose(this).ToList();
        var rounds = scenario.Rounds(Options);
        Console.WriteLine($"\n{scenario.Name}: {scenario.Description}");
        foreach (var peer in peers)
        {
            await scenario.WarmUpAsync(this, peer);
            await peer.SettleAsync(Cancellation);
        }

        for (var round = 1; round <= rounds; round++)
        {
            List<Sample> samples = [];
            // Each round begins with another peer: no peer always follows the same one.
            foreach (var peer in peers.Skip(round % peers.Count).Concat(peers.Take(round % peers.Count)))
            {
                foreach (var (name, figures) in await scenario.MeasureAsync(this, peer, round))
                {
                    // A peer that gave no answer, or no frame, has nothing that could be divided by them.
                    var measured = figures.Where(figure => double.IsFinite(figure.Value)).ToDictionary();
                    if (measured.Count < figures.Count)
                    {
                        Note($"{scenario.Name}: in some rounds {name} answered nothing that gives {string.Join(", ", figures.Keys.Except(measured.Keys))}.");
                    }

                    samples.Add(new Sample(scenario.Name, round, name, measured));
                }
            }

            scenario.Finish(samples);
            Samples.AddRange(samples);
            Console.WriteLine($"  round {round}/{rounds}  {string.Join("  ", samples.Select(Short))}");
        }
    }

    /// <summary>Says where everything is and waits until the run is stopped: for a profiler, or a load by hand.</summary>
    public async Task HoldAsync()
    {
        foreach (var peer in Peers.Prepend(Upstream))
        {
            Console.WriteLine($"{peer.Name,-8} {peer.Address}  process {string.Join(' ', peer.Processes)}  {string.Join(' ', peer.Headers.Select(header => $"{header.Key}: {header.Value}"))}");
        }

        foreach (var (program, process) in Gateway?.Programs ?? [])
        {
            Console.WriteLine($"  {program,-10} process {process}");
        }

        await Task.Delay(Timeout.Infinite, Cancellation);
    }

    public void Note(string text)
    {
        if (Notes.Contains(text))
        {
            return;
        }

        Notes.Add(text);
        Console.WriteLine($"bench: {text}");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var peer in Enumerable.Reverse(started))
        {
            await peer.DisposeAsync();
        }
    }

    private static string Short(Sample sample) =>
        $"{sample.Peer} {string.Join(' ', sample.Figures.Where(figure => figure.Key is not ("resident_mib" or "failures") || figure is { Key: "failures", Value: > 0 }).Take(3).Select(figure => FormattableString.Invariant($"{figure.Key}={figure.Value:0.#}")))}";

    private Peer Keep(Peer peer)
    {
        started.Add(peer);
        return peer;
    }

    /// <summary>Waits until a chat completion is answered. A peer that never does so is left out; without provider, YARP or edge there is no run.</summary>
    private async Task<bool> AnswersAsync(Peer peer)
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
        var body = Prompts.Body(Prompts.Model, 1024);
        var limit = Environment.TickCount64 + (long)s_startLimit.TotalMilliseconds;
        var last = "";
        while (Environment.TickCount64 < limit)
        {
            try
            {
                using var request = new HttpRequestMessage(HttpMethod.Post, peer.Address + Prompts.Path) { Content = new ByteArrayContent(body) };
                request.Content.Headers.ContentType = new("application/json");
                foreach (var (name, value) in peer.Headers)
                {
                    request.Headers.TryAddWithoutValidation(name, value);
                }

                using var reply = await http.SendAsync(request, Cancellation);
                last = $"{(int)reply.StatusCode} {await reply.Content.ReadAsStringAsync(Cancellation)}";
                if (reply.IsSuccessStatusCode && last.Contains("chat.completion", StringComparison.Ordinal))
                {
                    return true;
                }
            }
            catch (Exception e) when (e is HttpRequestException or TaskCanceledException && !Cancellation.IsCancellationRequested)
            {
                last = e.Message;
            }

            await Task.Delay(100, Cancellation);
        }

        var why = $"{peer.Name} did not answer within {s_startLimit.TotalSeconds:0} s: {last} {(peer as ProgramPeer)?.LastWords}";
        if (peer.Name is "direct" or "yarp" or "edge")
        {
            throw new InvalidOperationException(why);
        }

        Note($"{peer.Name} is left out: {why}");
        return false;
    }
}
