using System.Globalization;
using System.Text.Json.Nodes;

namespace Gateway.Metering.Reports;

/// <summary>
/// What <c>/spend/logs</c> gives for a range of dates in LiteLLM: one object for each day, with the spend of each user and model, and the
/// spend of each key beside them under the key's id. Days after the last spending stand in it with 0, as there.
/// </summary>
internal sealed class DailySummary(ReportDatabase database)
{
    private sealed record Line(DateOnly Day, string Key, string User, string Model, decimal Spend);

    public async Task<IResult> AnswerAsync(ReportFilter filter, Visibility visibility, CancellationToken cancellation)
    {
        // Days that are not whole, or conditions that the roll-ups do not know, are summed up from the rows themselves.
        var where = filter.FitsRollups ? filter.OnDaily(visibility) : filter.OnRecords(visibility);
        var source = filter.FitsRollups
            ? $"select day, key_no, user_no, model_no, sum(cost) as cost from usage_daily {where} group by 1, 2, 3, 4"
            : $"select (started_at at time zone 'UTC')::date as day, key_no, user_no, model_no, sum(cost) as cost from usage_records {where} group by 1, 2, 3, 4";
        var lines = await database.QueryAsync(
            $"""
            select s.day, key.name, usr.name, model.name, s.cost from ({source}) s
            join names key on key.no = s.key_no join names usr on usr.no = s.user_no join names model on model.no = s.model_no
            order by s.day, key.name, usr.name, model.name
            """,
            where,
            static reader => new Line(
                reader.GetFieldValue<DateOnly>(0), reader.GetString(1), reader.GetString(2), reader.GetString(3), ReportDatabase.Dollars(reader, 4)),
            cancellation);

        var days = new JsonArray();
        foreach (var day in lines.GroupBy(line => line.Day))
        {
            var entry = new JsonObject();
            // Keys first: an id of 64 hexadecimal digits cannot be one of the three names that follow, and if it were, they would win.
            Sums(entry, day, line => line.Key);
            entry["startTime"] = Text(day.Key);
            entry["spend"] = day.Sum(line => line.Spend);
            entry["users"] = Sums([], day, line => line.User);
            entry["models"] = Sums([], day, line => line.Model);
            days.Add(entry);
        }

        if (lines.Count > 0)
        {
            // Bounded: a range may end in the year 9998.
            for (var (day, added) = (lines[^1].Day.AddDays(1), 0); day <= filter.LastDay && added < 400; day = day.AddDays(1), added++)
            {
                days.Add(new JsonObject { ["startTime"] = Text(day), ["spend"] = 0, ["users"] = new JsonObject(), ["models"] = new JsonObject() });
            }
        }

        return TypedResults.Json(days, ReportsJson.Default.JsonArray);
    }

    private static string Text(DateOnly day) => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    private static JsonObject Sums(JsonObject target, IEnumerable<Line> lines, Func<Line, string> by)
    {
        foreach (var group in lines.GroupBy(by, StringComparer.Ordinal))
        {
            target[group.Key] = group.Sum(line => line.Spend);
        }

        return target;
    }
}
