using System.Globalization;
using System.Text.Json.Nodes;

namespace Gateway.Metering.Reports;

/// <summary>LiteLLM names the groups, and what a group is called, after what they are grouped by.</summary>
internal static class SpendReportShape
{
    public static JsonArray ToJson(IReadOnlyList<ReportDay> days, string groupBy)
    {
        var (groups, name) = groupBy switch
        {
            "team" => ("teams", "team_name"),
            "customer" => ("customers", "customer"),
            "api_key" => ("api_keys", "api_key"),
            "internal_user_id" => ("internal_users", "internal_user_id"),
            _ => ("organizations", "organization_id"),
        };
        return new JsonArray([.. days.Select(day => new JsonObject
        {
            ["group_by_day"] = day.GroupByDay.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
            [groups] = new JsonArray([.. day.Groups.Select(group => new JsonObject
            {
                [name] = group.Name,
                ["total_spend"] = group.TotalSpend,
                ["metadata"] = new JsonArray([.. group.Metadata.Select(detail => new JsonObject
                {
                    ["model"] = detail.Model,
                    ["api_key"] = detail.ApiKey,
                    ["spend"] = detail.Spend,
                    ["total_tokens"] = detail.TotalTokens,
                    ["api_requests"] = detail.ApiRequests,
                })]),
            })]),
        })]);
    }
}
