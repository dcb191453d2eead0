namespace Gateway.Ledger.Journal;

/// <summary>What statements on the journal have in common.</summary>
internal static class JournalSql
{
    /// <summary>
    /// A from clause that adds entries up by their terms and day: <c>e</c> (<c>day</c>, <c>amount</c>, <c>entries</c>) with these terms as <c>t</c>.
    /// Terms are looked up in their index one by one: PostgreSQL knows a day that is being written too badly to choose that, and where it takes a
    /// day's terms for one or two it adds up the whole day again for each of them. The offset keeps it from making a join of its own choice of it.
    /// </summary>
    /// <param name="which">The entries.</param>
    /// <param name="apart">Another column of <c>e</c>, by which entries are added up apart; null for none.</param>
    /// <param name="month">The month whose entries alone are read, as its tables' names end; null for all.</param>
    public static string AddedUp(string which = "true", string? apart = null, string? month = null) => $"""
        from (select terms, (at at time zone 'UTC')::date as day{(apart is null ? "" : $", {apart}")},
                sum(case when reverses then -amount_nano else amount_nano end) as amount, count(*) as entries
            from journal.entries{month} where {which} group by 1, 2{(apart is null ? "" : ", 3")}) e
        cross join lateral (select * from journal.terms{month} where day = e.day and id = e.terms offset 0) t
        """;
}
