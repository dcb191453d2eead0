using System.Globalization;
using System.Text;

namespace Gateway.Bench.Reporting;

/// <summary>What the gateway is held to, and whether this run shows it.</summary>
internal static class Bars
{
    private sealed record Bar(string What, double Limit, Func<Summary, double?> Figure, bool AtLeast = false);

    private static readonly Bar[] s_bars =
    [
        new("control: yarp-b / yarp, processor time, at least", 0.9, static s => s.Ratio("plain-1k", "yarp-b", "cpu_us"), AtLeast: true),
        new("control: yarp-b / yarp, processor time, at most", 1.1, static s => s.Ratio("plain-1k", "yarp-b", "cpu_us")),
        new("edge / YARP, processor time, 1 KiB", 1.2, static s => s.Ratio("plain-1k", "edge", "cpu_us")),
        new("edge / Portkey, processor time, 1 KiB", 0.05, static s => s.Ratio("plain-1k", "edge", "cpu_us", "portkey")),
        new("edge / YARP, processor time, 32 KiB", 1.5, static s => s.Ratio("plain-32k", "edge", "cpu_us")),
        new("edge / YARP, processor time, 400 KiB", 1.5, static s => s.Ratio("plain-400k", "edge", "cpu_us")),
        new("cluster / YARP, processor time, 1 KiB", 2.5, static s => s.Ratio("plain-1k", "cluster", "cpu_us")),
        new("edge / YARP, throughput on 32 connections", 0.8, static s => s.Ratio("plain-1k", "edge", "rps"), AtLeast: true),
        new("edge / YARP, added latency p50, one connection", 1.5, static s => s.Ratio("one-connection", "edge", "added_p50_us")),
        new("edge / YARP, added latency p99, one connection", 2, static s => s.Ratio("one-connection", "edge", "added_p99_us")),
        new("the same while Ledger and Metering stand still", 2, static s => s.Ratio("one-connection", Scenarios.OneConnectionScenario.Alone, "added_p99_us")),
        new("edge / YARP, processor time of a frame (flushed)", 1.25, static s => s.Ratio("stream-50", "edge", "cpu_us_per_frame")),
        new("edge / YARP, processor time of a frame (20 ms apart)", 1.25, static s => s.Ratio("stream-20ms", "edge", "cpu_us_per_frame")),
        new("edge / YARP, first frame p99", 2, static s => s.Ratio("first-frame", "edge", "first_frame_p99_us")),
        new("steps of 40 ms in a round of streams", 0, static s => s.Median("first-frame", "edge", "steps_40ms")),
        new("1,000 paced streams: frames missing", 0, static s => s.Median("paced-1000", "edge", "missing_frames")),
        new("1,000 paced streams: stalled", 0, static s => s.Median("paced-1000", "edge", "stalled")),
        new("1,000 paced streams: KiB resident for each", 24, static s => s.Median("paced-1000", "edge", "resident_kib_per_stream")),
        new("unknown key / served", 0.3, static s => s.Median("refused", "bad-key", "of_served")),
        new("used-up budget / served", 0.3, static s => s.Median("refused", "budget", "of_served")),
        new("used-up rate / served", 0.3, static s => s.Median("refused", "rate", "of_served")),
        new("goodput kept at overload", 0.9, static s => s.Median("overload", "edge", "goodput_kept"), AtLeast: true),
        new("Redis scripts for each request", 0.05, static s => s.Median("stores", "edge", "redis_scripts")),
        new("SQL transactions for 1,000 requests", 5, static s => s.Median("stores", "edge", "sql_transactions_per_1000")),
        new("soak: edge / YARP, memory", 1.5, static s => s.Ratio("soak", "edge", "resident_mib_end")),
        new("soak: growth in the second half", 0.02, static s => s.Median("soak", "edge", "growth_second_half")),
    ];

    public static string Table(Summary summary)
    {
        var text = new StringBuilder("| figure | bar | here | |\n|---|--:|--:|---|\n");
        foreach (var bar in s_bars)
        {
            // Not measured in this run.
            if (bar.Figure(summary) is not { } figure || double.IsNaN(figure))
            {
                continue;
            }

            var holds = bar.AtLeast ? figure >= bar.Limit : figure <= bar.Limit;
            text.Append(CultureInfo.InvariantCulture, $"| {bar.What} | {(bar.AtLeast ? "≥" : "≤")} {bar.Limit} | {figure:0.###} | {(holds ? "holds" : "**missed**")} |\n");
        }

        return text.ToString();
    }
}
