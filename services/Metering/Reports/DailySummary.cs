using System.Globalization;
using System.Text.Json.Nodes;

namespace Gateway.Metering.Reports;

/// <summary>
/// What <c>/spend/logs</c> gives for a range of dates in LiteLLM: one object for each day, with the spend of each user and model, and the
/// spend of each key beside them under the key's id. Days after the last spending stand in it with 0, as there.
/// </summary>
internal sealed class DailySummary(ReportDatabase database)
{
    private const string Days = "day";
    private const string Keys = "key";
    private const string Users = "user";
    private const string Models = "model";

    private sealed record Line(DateOnly Day, string Of, string Name, decimal Spend);

    public async Task<IResult> AnswerAsync(ReportFilter filter, Visibility visibility, CancellationToken cancellation)
    {
        // Days that are not whole, or conditions that the roll-ups do not know, are summed up from the rows themselves.
        var where = filter.FitsRollups ? filter.OnDaily(visibility) : filter.OnRecords(visibility);
        var source = filter.FitsRollups
            ? $"select day, key_no, user_no, model_no, cost from usage_daily {where}"
            : $"select (started_at at time zone 'UTC')::date as day, key_no, user_no, model_no, cost from usage_records {where}";
        var lines = await database.QueryAsync(
            $"""
            select s.day, s.of, coalesce(n.name, ''), s.cost from (
                select day, case grouping(key_no, user_no, model_no) when 7 then '{Days}' when 3 then '{Keys}' when 5 then '{Users}' else '{Models}' end as of,
                    coalesce(key_no, user_no, model_no) as no, sum(cost) as cost
                from ({source}) r group by grouping sets ((day), (day, key_no), (day, user_no), (day, model_no))) s
            left join names n on n.no = s.no order by s.day, n.name
            """,
            where,
            static reader => new Line(reader.GetFieldValue<DateOnly>(0), reader.GetString(1), reader.GetString(2), ReportDatabase.Dollars(reader, 3)),
            cancellation);

        var days = new JsonArray();
        foreach (var day in lines.GroupBy(line => line.Day))
        {
            var entry = new JsonObject();
            // Keys first: an id of 64 hexadecimal digits cannot be one of the three names that follow, and if it were, they would win.
            var parts = day.ToLookup(line => line.Of);
            Put(entry, parts[Keys]);
            entry["startTime"] = Text(day.Key);
            entry["spend"] = parts[Days].Single().Spend;
            entry["users"] = Put([], parts[Users]);
            entry["models"] = Put([], parts[Models]);
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

    private static JsonObject Put(JsonObject target, IEnumerable<Line> lines)
    {
        foreach (var line in lines)
        {
            target[line.Name] = line.Spend;
        }

        return target;
    }
}
