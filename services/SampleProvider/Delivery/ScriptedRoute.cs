using System.Buffers;
using System.IO.Pipelines;
using Gateway.SampleProvider.Asking;
using Gateway.SampleProvider.Scripts;
using Gateway.SampleProvider.Stats;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;

namespace Gateway.SampleProvider.Delivery;

/// <summary>
/// Answers a request, the same way for every route: read the body, read the script, look up or render the reply, refuse what the
/// provider would refuse, count, send.
/// </summary>
internal sealed class ScriptedRoute(PreparedReplies replies, RequestStats stats, IHostApplicationLifetime lifetime)
{
    private const string InvalidCredentialSuffix = "-invalid";

    public async Task Answer(HttpContext context, Surface surface)
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
            var headers = context.Request.Headers;
            var script = ScriptReader.FromHeaders(headers, out var problem);
            var reply = read.Buffer.IsSingleSegment
                ? replies.Get(surface, read.Buffer.FirstSpan, script)
                : replies.Get(surface, read.Buffer.ToArray(), script);
            reader.AdvanceTo(read.Buffer.End);

            // 3. What the provider would refuse before it looks at the body comes first.
            var credential = surface.Dialect.Credential(headers);
            if (credential is not null && credential.EndsWith(InvalidCredentialSuffix, StringComparison.Ordinal))
            {
                reply = surface.Dialect.RefuseCredential(credential, reply.Model);
            }
            else if (problem is not null)
            {
                reply = surface.Dialect.Refuse(new(400, problem, null, "invalid_sample_script"), reply.Model, Script.None);
            }
            else if (surface.Dialect.Check(headers) is { } fault)
            {
                reply = surface.Dialect.Refuse(fault, reply.Model, Script.None);
            }
            else if (reply.Script.Status is { } status)
            {
                reply = surface.Dialect.Refuse(surface.Dialect.FaultFor(status, reply.Model), reply.Model, reply.Script);
                if (reply.Script.RetryAfter is { } seconds)
                {
                    context.Response.Headers.RetryAfter = seconds;
                }
            }

            // 4. Count it, send it.
            row = stats.Count(surface.Path, reply.Model, credential, reply.Status);
            var id = Delivery.NextId();
            surface.Dialect.Stamp(context.Response.Headers, id);
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
}
