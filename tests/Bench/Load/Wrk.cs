using System.Globalization;
using System.Text;
using System.Text.Json;
using Gateway.Bench.Peers;
using Gateway.Launcher.Servers;
using Gateway.TestKit;

namespace Gateway.Bench.Load;

/// <summary>What a load saw.</summary>
/// <param name="Answers">Answers of any status.</param>
/// <param name="Failures">Answers with a status of 400 and more, and requests without an answer.</param>
/// <param name="Seconds">How long it took.</param>
/// <param name="P50">Median time to the last byte, in microseconds.</param>
/// <param name="P99">The 99th percentile of it.</param>
internal sealed record LoadResult(long Answers, long Failures, double Seconds, double P50, double P99);

/// <summary>Runs wrk: as many requests as go through on a number of connections.</summary>
internal static class Wrk
{
    private static readonly Dictionary<string, string> s_scripts = [];

    public static string? Program { get; } = Programs.Find("wrk");

    public static async Task<LoadResult> RunAsync(Peer peer, byte[] body, int connections, TimeSpan span, CancellationToken cancellation)
    {
        var script = ScriptFor(peer, body);
        var seconds = Math.Max(1, (int)Math.Ceiling(span.TotalSeconds));
        var spec = new ProcessSpec("wrk", Program!, ["-t1", $"-c{connections}", $"-d{seconds}s", "--timeout", "20s", "-s", script, peer.Address + Prompts.Path]);
        string? line = null;
        await using var wrk = LocalProcess.Start(spec, text =>
        {
            if (text.StartsWith("RESULT ", StringComparison.Ordinal))
            {
                line = text["RESULT ".Length..];
            }
        });
        await wrk.Exited.WaitAsync(span + TimeSpan.FromSeconds(60), cancellation);
        using var json = JsonDocument.Parse(line ?? throw new InvalidOperationException($"wrk said nothing: {string.Join(" / ", wrk.LastLines)}"));
        double Number(string name) => json.RootElement.GetProperty(name).GetDouble();
        return new LoadResult((long)Number("answers"), (long)Number("failures"), Number("us") / 1e6, Number("p50"), Number("p99"));
    }

    private static string ScriptFor(Peer peer, byte[] body)
    {
        var headers = string.Join('\n', peer.Headers.Select(header => $"wrk.headers[\"{header.Key}\"] = \"{header.Value}\""));
        var text = $$"""
            wrk.method = "POST"
            wrk.body = [==[{{Encoding.UTF8.GetString(body)}}]==]
            wrk.headers["Content-Type"] = "application/json"
            {{headers}}
            done = function(summary, latency, requests)
              local e = summary.errors
              io.write(string.format('RESULT {"answers":%d,"failures":%d,"us":%d,"p50":%.1f,"p99":%.1f}\n', summary.requests,
                e.status + e.connect + e.read + e.write + e.timeout, summary.duration, latency:percentile(50), latency:percentile(99)))
            end

            """;
        if (!s_scripts.TryGetValue(text, out var file))
        {
            file = Path.Combine(Servers.NewFolder("wrk"), string.Create(CultureInfo.InvariantCulture, $"{peer.Name}.lua"));
            File.WriteAllText(file, text);
            s_scripts[text] = file;
        }

        return file;
    }
}
