using System.Collections.Concurrent;
using Npgsql;

namespace Gateway.Metering.Ingest;

/// <summary>
/// The numbers of names (table <c>names</c>). A name gets its number once and keeps it, so a number that was read is never out of date and
/// this cache needs no invalidation.
/// </summary>
internal sealed class Names(NpgsqlDataSource database)
{
    /// <summary>The number of "nobody".</summary>
    public const int None = 0;

    /// <summary>Characters of a name that are kept. An index entry has a limit in PostgreSQL, and a caller chooses its end users and tags.</summary>
    public const int LengthMax = 512;

    // At this many names the cache begins anew: end users come and go, and memory stays bounded.
    private const int CachedMax = 200_000;

    private readonly ConcurrentDictionary<string, int> known = new(StringComparer.Ordinal);

    /// <summary>
    /// A text as PostgreSQL can hold it. A caller's text must never be able to stop the batch that it is in: no NUL, which PostgreSQL
    /// refuses, nothing too long for an index, no half of a surrogate pair.
    /// </summary>
    public static string Clean(string? text)
    {
        if (string.IsNullOrEmpty(text))
        {
            return "";
        }

        if (text.Length <= LengthMax && !text.Contains('\0', StringComparison.Ordinal) && !text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF'))
        {
            return text;
        }

        var kept = new System.Text.StringBuilder(Math.Min(text.Length, LengthMax));
        foreach (var rune in text.EnumerateRunes())
        {
            // A half of a pair comes as the replacement character.
            var clean = rune.Value == 0 ? System.Text.Rune.ReplacementChar : rune;
            if (kept.Length + clean.Utf16SequenceLength > LengthMax)
            {
                break;
            }

            kept.Append(clean.ToString());
        }

        return kept.ToString();
    }

    /// <summary>The numbers of <paramref name="names"/> (cleaned ones), made where they are new.</summary>
    public async Task<IReadOnlyDictionary<string, int>> NumbersAsync(IReadOnlyCollection<string> names, CancellationToken cancellation)
    {
        var numbers = new Dictionary<string, int>(names.Count, StringComparer.Ordinal) { [""] = None };
        var missing = new List<string>();
        foreach (var name in names)
        {
            if (known.TryGetValue(name, out var no))
            {
                numbers[name] = no;
            }
            else if (name.Length > 0)
            {
                missing.Add(name);
            }
        }

        if (missing.Count > 0)
        {
            await LookUpAsync(missing, numbers, cancellation);
        }

        return numbers;
    }

    private async Task LookUpAsync(List<string> missing, Dictionary<string, int> numbers, CancellationToken cancellation)
    {
        // In its own transaction, before the records: a name without a record harms nobody, and no lock is held while others wait.
        // Ordered, so that two processes that make the same names cannot wait for each other in a circle. Only names that are not there
        // are inserted, because a conflict would use up a number.
        const string make = """
            insert into names (name)
            select n from unnest($1::text[]) as t(n) where not exists (select from names where name = n) order by n
            on conflict (name) do nothing
            """;
        var texts = missing.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToArray();
        await using var batch = database.CreateBatch();
        batch.BatchCommands.Add(new NpgsqlBatchCommand(make) { Parameters = { new() { Value = texts } } });
        batch.BatchCommands.Add(new NpgsqlBatchCommand("select name, no from names where name = any($1)") { Parameters = { new() { Value = texts } } });
        if (known.Count + texts.Length > CachedMax)
        {
            known.Clear();
        }

        await using var reader = await batch.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
        {
            var name = reader.GetString(0);
            numbers[name] = known[name] = reader.GetInt32(1);
        }
    }
}
