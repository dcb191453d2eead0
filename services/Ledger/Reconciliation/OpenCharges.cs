using StackExchange.Redis;

namespace Gateway.Ledger.Reconciliation;

/// <summary>
/// What edges have charged and the journal does not have yet: records in spools and queues, which both sides of every comparison lack. What
/// is on its way moves on from one look to the next; the age is that of what has not moved.
/// </summary>
internal sealed class OpenCharges
{
    private readonly Lock one = new();
    private Dictionary<(string Window, string Edge), (long Posted, DateTimeOffset Since)> before = [];
    private (long Amount, TimeSpan Age) last;

    /// <summary>What the last whole look came to: without Redis nothing is known that would be newer.</summary>
    public (long Amount, TimeSpan Age) Last
    {
        get
        {
            lock (one)
            {
                return last;
            }
        }
    }

    /// <summary>Notes one window as Redis has it (prelude.lua) in what one look has seen.</summary>
    public static void Note(Dictionary<(string Window, string Edge), (long Open, long Posted)> seen, string windowId, IReadOnlyDictionary<string, RedisValue> fields)
    {
        foreach (var (name, charged) in fields.Where(field => field.Key.StartsWith("c:", StringComparison.Ordinal)))
        {
            var posted = fields.TryGetValue("p:" + name[2..], out var told) ? (long)told : 0;
            if ((long)charged > posted)
            {
                seen[(windowId, name[2..])] = ((long)charged - posted, posted);
            }
        }
    }

    /// <summary>Ends a look that saw every window: nano-dollars that are open, each edge's once (by the window that has most of it), and for how long.</summary>
    public (long Amount, TimeSpan Age) Look(IReadOnlyDictionary<(string Window, string Edge), (long Open, long Posted)> seen, DateTimeOffset now)
    {
        lock (one)
        {
            before = seen.ToDictionary(
                pair => pair.Key, pair => (pair.Value.Posted, before.TryGetValue(pair.Key, out var known) && known.Posted == pair.Value.Posted ? known.Since : now));
            var amount = seen.GroupBy(pair => pair.Key.Edge, StringComparer.Ordinal).Sum(edge => edge.Max(pair => pair.Value.Open));
            return last = (amount, before.Count == 0 ? TimeSpan.Zero : now - before.Values.Min(open => open.Since));
        }
    }
}
