using System.Globalization;
using Gateway.Ledger.Leases;
using StackExchange.Redis;

namespace Gateway.Ledger.Tests.Leases;

/// <summary>What Redis has of a window, held against what the rule says.</summary>
internal static class LeaseFields
{
    public static void AssertAre(LeaseWindow? window, HashEntry[] entries, IReadOnlyList<string> steps)
    {
        var fields = entries.ToDictionary(field => (string)field.Name!, field => (string)field.Value!, StringComparer.Ordinal);
        if (window is null)
        {
            Assert.Empty(fields);
            return;
        }

        var expected = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            ["limit"] = Text(window.Limit),
            ["revision"] = Text(window.Revision),
            ["spent"] = Text(window.Spent),
            ["spent_version"] = Text(window.SpentVersion),
            ["leased"] = Text(window.Leased),
            ["edges"] = Text(window.ActiveEdges),
        };
        foreach (var (name, holding) in window.Edges)
        {
            expected[$"g:{name}"] = Text(holding.Granted);
            expected[$"p:{name}"] = Text(holding.Posted);
            expected[$"c:{name}"] = Text(holding.Charged);
        }

        var found = new SortedDictionary<string, string>(fields.Where(field => field.Key is not ("run" or "open_at" or "limit_until" or "limit_after") && !field.Key.StartsWith("t:", StringComparison.Ordinal)).ToDictionary(), StringComparer.Ordinal);
        // An edge that was heard of without a grant has no p in Redis, which reads as 0.
        foreach (var name in window.Edges.Keys)
        {
            found.TryAdd($"p:{name}", "0");
        }

        Assert.True(expected.SequenceEqual(found), $"rule:  {string.Join(' ', expected)}\nredis: {string.Join(' ', found)}\n{string.Join('\n', steps)}");
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
