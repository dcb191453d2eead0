namespace Gateway.Ledger.Journal;

/// <summary>What statements on the journal have in common.</summary>
internal static class JournalSql
{
    /// <summary>
    /// Joins to each row of <c>e</c>, which has <c>terms</c> and <c>day</c>, its terms as <c>t</c>: by a look-up in their index, because PostgreSQL
    /// knows a day that is being written too badly to choose it, and where it takes a day's terms for one or two it adds up the whole day again
    /// for each of them. The offset keeps it from turning this into a join of its own choice.
    /// </summary>
    /// <param name="table">The terms: all, or a month of them.</param>
    public static string Terms(string table = "journal.terms") => $"cross join lateral (select * from {table} where day = e.day and id = e.terms offset 0) t";
}
