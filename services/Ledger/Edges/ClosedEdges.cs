using Gateway.Contracts;
using Gateway.Ledger.Journal;
using Gateway.ServiceDefaults;
using MassTransit;
using Npgsql;

namespace Gateway.Ledger.Edges;

/// <summary>
/// An edge process is over and its records are all in the queue. The word goes through the same queue: when it comes out, what was before
/// it has been read. When every Ledger process has booked what it has read, the edge's leases are taken back for good (<see cref="Leases.LeasePass"/>).
/// </summary>
internal static class ClosedEdges
{
    public static WebApplication MapEdges(this WebApplication app)
    {
        app.MapPost("/internal/edges/{edgeId}/closed", CloseAsync).RequireService();
        return app;
    }

    private static async Task<IResult> CloseAsync(string edgeId, NpgsqlDataSource database, IBus bus, CancellationToken cancellation)
    {
        if (edgeId.Length is 0 or > 256 || edgeId.Contains('\0', StringComparison.Ordinal))
        {
            return Problems.Result(422, "invalid_request", "edgeId is missing or longer than 256 characters.");
        }

        await using (var command = database.CreateCommand("insert into closed_edges (edge_id) values ($1) on conflict do nothing"))
        {
            command.Parameters.AddWithValue(edgeId);
            await command.ExecuteNonQueryAsync(cancellation);
        }

        await bus.Publish(new EdgeClosed(edgeId), cancellation);
        return TypedResults.Accepted((string?)null);
    }
}

/// <summary>Notes that the queue was read up to an edge's end.</summary>
internal sealed class EdgeClosedConsumer(NpgsqlDataSource database, MessagesUnderWay messages, WritePatience patience, Leases.LeasePass pass) : IConsumer<EdgeClosed>
{
    public async Task Consume(ConsumeContext<EdgeClosed> context)
    {
        await messages.AllDoneAsync(context.CancellationToken);
        await patience.WriteAsync(() => SettleAsync(context.Message.EdgeId, context.CancellationToken), context.CancellationToken);
        pass.LookAtAllSoon();
    }

    private async Task SettleAsync(string edgeId, CancellationToken cancellation)
    {
        await using var batch = database.CreateBatch();
        batch.BatchCommands.Add(new("insert into closed_edges (edge_id, settled_at) values ($1, now()) on conflict (edge_id) do update set settled_at = coalesce(closed_edges.settled_at, now())")
        {
            Parameters = { new() { Value = edgeId } },
        });
        batch.BatchCommands.Add(new($"notify {Duties.EmptyHands.EdgesChannel}"));
        await batch.ExecuteNonQueryAsync(cancellation);
    }
}
