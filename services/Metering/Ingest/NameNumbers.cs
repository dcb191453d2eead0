using System.Globalization;

namespace Gateway.Metering.Ingest;

/// <summary>The numbers of the names of one batch.</summary>
internal sealed class NameNumbers(IReadOnlyDictionary<string, int> numbers)
{
    // Records of a batch share their texts and lists (UsageBatch), so each is looked up once and not for every record.
    private readonly Dictionary<string, int> known = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<string[], int[]?> lists = new(ReferenceEqualityComparer.Instance);

    public static string TextOf(int[] numbers) => "{" + string.Join(',', numbers.Select(static no => no.ToString(CultureInfo.InvariantCulture))) + "}";

    public int Of(string? name)
    {
        name ??= "";
        if (!known.TryGetValue(name, out var number))
        {
            known[name] = number = numbers[Names.Clean(name)];
        }

        return number;
    }

    /// <summary>Null where there is none.</summary>
    public int[]? Of(string[] names)
    {
        if (names.Length == 0)
        {
            return null;
        }

        if (!lists.TryGetValue(names, out var list))
        {
            lists[names] = list = [.. names.Select(Of).Where(static no => no != Names.None).Distinct()];
        }

        return list;
    }
}
