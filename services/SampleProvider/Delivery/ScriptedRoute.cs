using System.Buffers;
using System.IO.Pipelines;
using Gateway.SampleProvider.Asking;
using Gateway.SampleProvider.OpenAi.Files;
using Gateway.SampleProvider.Scripts;
using Gateway.SampleProvider.Stats;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;

namespace Gateway.SampleProvider.Delivery;

/// <summary>
/// Answers a request, the same way for every route: read the body, read the script, look up or render the reply, refuse what the
/// provider would refuse, count, send.
/// </summary>
internal sealed class ScriptedRoute(PreparedReplies replies, FileStore files, RequestStats stats, IHostApplicationLifetime lifetime)
{
    private const string InvalidCredentialSuffix = "-invalid";

    public async Task Answer(HttpContext context, ProviderRoute route)
    {
        stats.Enter();
        StatsRow? row = null;
        var finished = false;
        try
        {
            // 1. The body, in one piece.
            var reader = context.Request.BodyReader;
            ReadResult read;
            while (!(read = await reader.ReadAsync()).IsCompleted)
            {
                reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            }

            // 2. The script and the reply.
            var reply = read.Buffer.IsSingleSegment
                ? Reply(context, route, read.Buffer.FirstSpan)
                : Reply(context, route, read.Buffer.ToArray());
            reader.AdvanceTo(read.Buffer.End);

            // 3. Count it, send it.
            row = stats.Count(route.Path, reply.Model, route.Dialect.Credential(context.Request.Headers), reply.Status);
            var id = Delivery.NextId();
            route.Dialect.Stamp(context.Response.Headers, id);
            if (reply.Script.IsPlainDelivery)
            {
                Delivery.Whole(context.Response, reply, id);
                finished = true;
            }
            else
            {
                finished = await Delivery.Scripted(context, reply, id, lifetime.ApplicationStopping);
            }
        }
        catch (Exception gone) when (gone is ConnectionResetException or ConnectionAbortedException or BadHttpRequestException)
        {
            // The client left while it was still sending. There is nobody to answer; a body too large is answered by the server.
            if (gone is BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge })
            {
                throw;
            }
        }
        finally
        {
            stats.Leave(finished ? null : row);
        }
    }
    private PreparedReply Reply(HttpContext context, ProviderRoute route, ReadOnlySpan<byte> body)
    {
        var script = ScriptReader.FromHeaders(context.Request.Headers, out var problem);
        if (route is Surface surface)
        {
            var reply = replies.Get(surface, body, script);
            return Refusal(context, route.Dialect, problem, reply.Script, reply.Model) ?? files.Refusal(route.Dialect, reply) ?? reply;
        }

        return Refusal(context, route.Dialect, problem, script, "") ?? ((KeepingRoute)route).Reply(context.Request, body, script);
    }

    /// <summary>What the provider refuses before it looks at the body, and what the script wants refused.</summary>
    private static PreparedReply? Refusal(HttpContext context, Dialect dialect, string? problem, Script script, string model)
    {
        var headers = context.Request.Headers;
        var credential = dialect.Credential(headers);
        if (credential is not null && credential.EndsWith(InvalidCredentialSuffix, StringComparison.Ordinal))
        {
            return dialect.RefuseCredential(credential, model);
        }

        if ((problem is null ? dialect.Check(headers) : new Fault(400, problem, null, "invalid_sample_script")) is { } fault)
        {
            return dialect.Refuse(fault, model, Script.None);
        }

        var scripted = dialect.RefuseByScript(script, model);
        if (scripted is not null && script.RetryAfter is { } seconds)
        {
            context.Response.Headers.RetryAfter = seconds;
        }

        return scripted;
    }
}
