using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Extensions;

namespace Gateway.TestKit.Providers;

/// <summary>A request as it arrived at a <see cref="ScriptedProvider"/>.</summary>
public sealed class ReceivedRequest
{
    private readonly TaskCompletionSource clientLeft = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ReceivedRequest(HttpRequest request, byte[] body)
    {
        Method = request.Method;
        Path = request.Path.Value ?? "";
        Query = request.QueryString.Value ?? "";
        Headers = request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase);
        Body = body;
    }

    public string Method { get; }

    /// <summary>The path without the query.</summary>
    public string Path { get; }

    /// <summary>The query with its question mark, or nothing.</summary>
    public string Query { get; }

    /// <summary>The headers; names in any case, several values joined by commas.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; }

    /// <summary>The body, byte for byte.</summary>
    public byte[] Body { get; }

    public string Text => Encoding.UTF8.GetString(Body);

    public JsonElement Json => JsonElement.Parse(Body);

    /// <summary>Whether the caller gave the request up before its reply was complete.</summary>
    public bool IsCancelled => clientLeft.Task.IsCompleted;

    /// <summary>Ends when the caller gives the request up; never, if it does not.</summary>
    public Task Cancelled => clientLeft.Task;

    /// <summary>Ends when nothing more is sent: the reply is complete, cut, or the caller has gone.</summary>
    public Task Finished => ended.Task;

    internal static async Task<ReceivedRequest> Read(HttpRequest request)
    {
        using var body = new MemoryStream();
        await request.Body.CopyToAsync(body);
        return new(request, body.ToArray());
    }

    internal void ClientLeft() => clientLeft.TrySetResult();

    internal void Ended() => ended.TrySetResult();
}
