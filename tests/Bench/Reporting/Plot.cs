using System.Globalization;
using System.Text;

namespace Gateway.Bench.Reporting;

/// <summary>A figure of all peers as an SVG: a dot for each round, a bar at the median.</summary>
internal static class Plot
{
    private const int Left = 90;
    private const int Wide = 520;
    private const int Row = 30;
    private const int Top = 44;

    private static readonly double[] s_steps = [1, 2, 2.5, 5, 10];

    public static string Draw(Summary summary, string scenario, string figure)
    {
        var peers = summary.Peers(scenario).Where(peer => summary.Values(scenario, peer, figure).Count > 0).Order(PeerOrder.Instance).ToList();
        var all = peers.SelectMany(peer => summary.Values(scenario, peer, figure)).Where(value => value > 0).DefaultIfEmpty(1).ToList();
        // One peer twenty times the others would press them all against the axis.
        var logarithmic = all.Max() / all.Min() > 12;
        var (low, high) = logarithmic ? (Math.Log10(all.Min()) - 0.1, Math.Log10(all.Max()) + 0.1) : (0, all.Max() * 1.05);
        double X(double value) => Left + (Wide * Math.Clamp(((logarithmic ? Math.Log10(Math.Max(value, 1e-9)) : value) - low) / (high - low), 0, 1));

        var height = Top + (Row * peers.Count) + 34;
        var svg = new StringBuilder();
        void Line(FormattableString line) => svg.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
        Line($"""<svg xmlns="http://www.w3.org/2000/svg" width="{Left + Wide + 90}" height="{height}" font-family="sans-serif" font-size="12" fill="#222">""");
        Line($"""<rect width="100%" height="100%" fill="#fff"/>""");
        Line($"""<text x="{Left}" y="20" font-size="14" font-weight="bold">{scenario}: {figure}{(logarithmic ? " (logarithmic)" : "")}</text>""");
        foreach (var tick in Ticks(low, high, logarithmic))
        {
            Line($"""<line x1="{X(tick):0.0}" y1="{Top - 8}" x2="{X(tick):0.0}" y2="{height - 26}" stroke="#ddd"/>""");
            Line($"""<text x="{X(tick):0.0}" y="{height - 10}" text-anchor="middle" fill="#666">{tick:0.###}</text>""");
        }

        for (var place = 0; place < peers.Count; place++)
        {
            var peer = peers[place];
            var y = Top + (Row * place) + (Row / 2);
            var colour = peer is "edge" or "cluster" ? "#c2410c" : peer.StartsWith("yarp", StringComparison.Ordinal) ? "#1d4ed8" : "#4b5563";
            var median = summary.Median(scenario, peer, figure)!.Value;
            Line($"""<text x="{Left - 8}" y="{y + 4}" text-anchor="end">{peer}</text>""");
            Line($"""<line x1="{Left}" y1="{y}" x2="{X(median):0.0}" y2="{y}" stroke="{colour}" stroke-width="8" stroke-opacity="0.25"/>""");
            Line($"""<line x1="{X(median):0.0}" y1="{y - 10}" x2="{X(median):0.0}" y2="{y + 10}" stroke="{colour}" stroke-width="2"/>""");
            foreach (var value in summary.Values(scenario, peer, figure))
            {
                Line($"""<circle cx="{X(value):0.0}" cy="{y}" r="3" fill="{colour}" fill-opacity="0.6"/>""");
            }

            Line($"""<text x="{Left + Wide + 8}" y="{y + 4}">{median:0.##}</text>""");
        }

        return svg.Append("</svg>\n").ToString();
    }

    private static IEnumerable<double> Ticks(double low, double high, bool logarithmic)
    {
        if (logarithmic)
        {
            for (var power = (int)Math.Ceiling(low); power <= high; power++)
            {
                yield return Math.Pow(10, power);
            }

            yield break;
        }

        var rough = (high - low) / 5;
        var unit = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        var step = unit * s_steps.First(candidate => candidate * unit >= rough);
        for (var tick = low; tick <= high; tick += step)
        {
            yield return tick;
        }
    }
}
