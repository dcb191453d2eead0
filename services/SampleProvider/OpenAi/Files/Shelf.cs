namespace Gateway.SampleProvider.OpenAi.Files;

/// <summary>Things by their id, newest last. It is bounded in number and in weight: beyond either the oldest go, as if they had been deleted.</summary>
internal sealed class Shelf<T>(int countMax, long weightMax, Func<T, long> weight)
    where T : class
{
    private readonly OrderedDictionary<string, T> things = new(StringComparer.Ordinal);
    private readonly Lock gate = new();
    private long held;

    public void Add(string id, T thing)
    {
        lock (gate)
        {
            things.Add(id, thing);
            held += weight(thing);
            while (things.Count > 1 && (things.Count > countMax || held > weightMax))
            {
                held -= weight(things.GetAt(0).Value);
                things.RemoveAt(0);
            }
        }
    }

    public T? Find(string id)
    {
        lock (gate)
        {
            return things.GetValueOrDefault(id);
        }
    }

    public bool Remove(string id)
    {
        lock (gate)
        {
            if (!things.Remove(id, out var gone))
            {
                return false;
            }

            held -= weight(gone);
            return true;
        }
    }

    /// <summary>All of them, oldest first.</summary>
    public List<T> All()
    {
        lock (gate)
        {
            return [.. things.Values];
        }
    }
}
