namespace Gateway.Tidy.Tests.Repository;

/// <summary>The rows of a document's tables whose header begins with given columns.</summary>
internal static class MarkdownTable
{
    /// <summary>Each row's cells, trimmed; <c>\|</c> inside a cell is a bar.</summary>
    public static List<string[]> Rows(string file, params string[] columns)
    {
        var rows = new List<string[]>();
        var inside = false;
        foreach (var line in SourceTree.Lines(file))
        {
            if (!line.StartsWith('|'))
            {
                inside = false;
                continue;
            }

            var cells = Cells(line);
            if (!inside)
            {
                inside = cells.Length >= columns.Length && cells.Take(columns.Length).SequenceEqual(columns);
                continue;
            }

            if (!cells.All(static cell => cell.Trim('-', ':').Length == 0))
            {
                rows.Add(cells);
            }
        }

        Assert.True(rows.Count > 0, $"{file} has no table whose header begins with | {string.Join(" | ", columns)} |.");
        return rows;
    }

    /// <summary>What stands in backticks in a cell.</summary>
    public static string[] Code(string cell) => [.. cell.Split('`').Where(static (_, index) => index % 2 == 1)];

    private static string[] Cells(string line) =>
        [.. line.Trim().Trim('|').Replace("\\|", "\u0001", StringComparison.Ordinal).Split('|').Select(static cell => cell.Trim().Replace('\u0001', '|'))];
}
