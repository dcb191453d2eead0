using System.Buffers;
using System.Text.Json;
using Gateway.Edge.Admission;
using Gateway.Edge.Admission.Access;
using Gateway.Edge.Chat;
using Gateway.Edge.Flow;
using Gateway.Edge.Routing;

namespace Gateway.Edge.Models;

/// <summary>What clients of a surface ask before they chat: which models there are for them, and what one of them can.</summary>
internal sealed class ModelAnswers(Authentication authentication, RoutingTables tables, IChatSurface surface)
{
    /// <summary>Answers a request.</summary>
    /// <param name="context">The request.</param>
    /// <param name="write">Writes what is told of the models to a caller who sent a body, or says what is wrong.</param>
    public async Task AnswerAsync(HttpContext context, Func<Caller, RoutingTable, ReadOnlyMemory<byte>, Utf8JsonWriter, GatewayError?> write)
    {
        try
        {
            if (await TryAnswerAsync(context, write) is { } error)
            {
                await error.WriteAsync(context, surface);
            }
        }
        catch (Exception gone) when (gone is IOException or OperationCanceledException && context.RequestAborted.IsCancellationRequested)
        {
            // The client has left, and nothing is owed.
        }
    }

    private async Task<GatewayError?> TryAnswerAsync(HttpContext context, Func<Caller, RoutingTable, ReadOnlyMemory<byte>, Utf8JsonWriter, GatewayError?> write)
    {
        var (caller, refusal) = await authentication.AuthenticateAsync(context.Request);
        if (caller is null)
        {
            return refusal;
        }

        var table = tables.Current;
        var bytesMax = table.Configuration.General.MaxRequestBytes;
        if (await RequestBody.ReadAsync(context.Request, bytesMax, context.RequestAborted) is not { } body)
        {
            return GatewayError.TooLarge(bytesMax);
        }

        using (body)
        {
            var answer = new ArrayBufferWriter<byte>(1024);
            GatewayError? error;
            using (var json = new Utf8JsonWriter(answer))
            {
                error = write(caller, table, body.Memory, json);
            }

            if (error is not null)
            {
                return error;
            }

            context.Response.ContentType = "application/json";
            context.Response.ContentLength = answer.WrittenCount;
            await context.Response.Body.WriteAsync(answer.WrittenMemory, context.RequestAborted);
            return null;
        }
    }
}
