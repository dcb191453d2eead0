using System.Text.Json;
using Gateway.Auth.Access;
using Gateway.Auth.Requests;
using Gateway.ServiceDefaults;
using Npgsql;
using NpgsqlTypes;

namespace Gateway.Auth.Audit;

/// <summary>A line of the audit as the admin API shows it.</summary>
internal sealed record AuditView(
    long Id, DateTimeOffset UpdatedAt, string ChangedBy, string? ChangedByApiKey, string? ChangedFor, string Action, string TableName, string ObjectId,
    JsonElement? BeforeValue, JsonElement? UpdatedValues);

/// <summary>Answer of <c>GET /audit</c>, newest first.</summary>
internal sealed record AuditPage(AuditView[] AuditLogs, int Page, int PageSize);

/// <summary>Who changed what: <c>GET /audit</c>.</summary>
internal static class AuditRoutes
{
    public static void MapAudit(this IEndpointRouteBuilder routes) => routes.MapGet("/audit", ListAsync).WithTags("Audit").RequireAdmin();

    private static async Task<IResult> ListAsync(NpgsqlDataSource database, HttpContext context)
    {
        var query = new PageQuery(context.Request.Query, sizeDefault: 50, sizeMax: 200, "page_size", "size");
        var (type, id) = (query.Text("object_type"), query.Text("object_id"));
        if (query.Refusal is { } refusal)
        {
            return refusal.ToResult();
        }

        await using var command = database.CreateCommand(
            "select * from audit where ($1::text is null or object_type = $1) and ($2::text is null or object_id = $2) order by id desc limit $3 offset $4");
        command.Parameters.Add(new NpgsqlParameter { Value = type ?? (object)DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text });
        command.Parameters.Add(new NpgsqlParameter { Value = id ?? (object)DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text });
        command.Parameters.Add(new NpgsqlParameter { Value = (long)query.Size });
        command.Parameters.Add(new NpgsqlParameter { Value = (query.Page - 1L) * query.Size });
        await using var rows = await command.ExecuteReaderAsync(context.RequestAborted);
        var lines = new List<AuditView>();
        while (await rows.ReadAsync(context.RequestAborted))
        {
            lines.Add(new AuditView(
                rows.Number("id")!.Value, rows.Time("at")!.Value, rows.Text("actor")!, rows.Text("actor_key_id"), rows.Text("changed_by"),
                rows.Text("action")!, rows.Text("object_type")!, rows.Text("object_id")!, Json(rows, "before"), Json(rows, "after")));
        }

        return TypedResults.Json(new AuditPage([.. lines], query.Page, query.Size), AuthJson.Default.AuditPage);
    }

    private static JsonElement? Json(NpgsqlDataReader rows, string column) => rows.Text(column) is { } text ? JsonElement.Parse(text) : null;
}
