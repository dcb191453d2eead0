using System.Text;

namespace Gateway.Ledger.Reconciliation.ProviderUsage;

/// <summary>Comma-separated values (RFC 4180): quoted fields may have commas, quotes and line feeds in them.</summary>
internal static class Csv
{
    public static List<string[]> Rows(string text)
    {
        var (rows, row, field, quoted) = (new List<string[]>(), new List<string>(), new StringBuilder(), false);
        for (var i = text.StartsWith('\uFEFF') ? 1 : 0; i < text.Length; i++)
        {
            switch (text[i])
            {
                case '"' when quoted && i + 1 < text.Length && text[i + 1] == '"':
                    field.Append('"');
                    i++;
                    break;
                case '"':
                    quoted = !quoted;
                    break;
                case ',' when !quoted:
                    EndField();
                    break;
                case '\n' when !quoted:
                    EndRow();
                    break;
                case '\r' when !quoted:
                    break;
                default:
                    field.Append(text[i]);
                    break;
            }
        }

        EndRow();
        return rows;

        void EndField()
        {
            row.Add(field.ToString());
            field.Clear();
        }

        void EndRow()
        {
            EndField();
            if (row.Count > 1 || row[0].Length > 0)
            {
                rows.Add([.. row]);
            }

            row.Clear();
        }
    }
}
