using System.Globalization;

namespace Gateway.Metering.Ingest;

/// <summary>The numbers of the names of one batch.</summary>
internal sealed class NameNumbers(IReadOnlyDictionary<string, int> numbers)
{
    // Records of a batch share their lists (UsageBatch), so a list is looked up once and not for each record.
    private readonly Dictionary<string[], int[]?> lists = new(ReferenceEqualityComparer.Instance);

    public static string TextOf(int[] numbers) => "{" + string.Join(',', numbers.Select(static no => no.ToString(CultureInfo.InvariantCulture))) + "}";

    public int Of(string? name) => numbers[Names.Clean(name)];

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
