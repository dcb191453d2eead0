using Gateway.Edge.Completions;
using Gateway.Edge.Flow;
using Gateway.Edge.Operations;
using Gateway.Edge.Providers;
using Gateway.Edge.Routing;

namespace Gateway.Edge.Batches;

/// <summary>
/// What the lines of a batch can ask for. Format: OpenAI's published API description, "Batch"
/// (https://platform.openai.com/docs/api-reference/batch).
/// </summary>
internal sealed class BatchEndpoint
{
    private static readonly CompletionsSurface Completions = new();

    private static readonly BatchEndpoint[] All =
    [
        new() { Path = "/v1/chat/completions", Writes = true, serves = static target => target.Protocol.SpeaksOpenAiChat },
        new()
        {
            Path = "/v1/responses", Writes = true, surface = SurfaceProtocol.Responses, serves = static target => target.PassedAddress(SurfaceProtocol.Responses) is not null,
        },
        new()
        {
            Path = "/v1/completions", Writes = true, surface = SurfaceProtocol.Completions, serves = static target => target.PassedAddress(SurfaceProtocol.Completions) is not null,
        },
        new() { Path = "/v1/embeddings", serves = static target => target.Protocol.Serve(OperationKind.Embeddings) is { Passes: true } },
        new() { Path = "/v1/moderations", serves = static target => target.Protocol.Serve(OperationKind.Moderations) is { Passes: true } },
    ];

    private SurfaceProtocol? surface;
    private Func<Deployment, bool> serves = static _ => false;

    private BatchEndpoint()
    {
    }

    /// <summary>The paths, for messages.</summary>
    public static string Paths { get; } = string.Join(", ", All.Select(static endpoint => endpoint.Path));

    /// <summary>The path, with <c>/v1</c>.</summary>
    public required string Path { get; init; }

    /// <summary>Whether an answer has tokens of its own. One that has none costs what is read.</summary>
    public bool Writes { get; private init; }

    /// <summary>What is asked for by a path, with or without <c>/v1</c>; null when no batch can ask for it.</summary>
    public static BatchEndpoint? Find(string? path) => Array.Find(All, endpoint => endpoint.Path == path || (path is not null && endpoint.Path == "/v1" + path));

    /// <summary>Whether a deployment's provider keeps batches, and of this kind.</summary>
    public bool ServedBy(Deployment target) => target.StoreAddress("batches") is not null && serves(target);

    /// <summary>Reads the body of a line: what a request of its own would be read for, and what a batch cannot have.</summary>
    public GatewayError? ReadHead(ReadOnlyMemory<byte> body, out RequestHead head)
    {
        var wrong = surface == SurfaceProtocol.Completions ? Completions.ReadHead(body, out head) : RequestHead.TryRead(body.Span, out head, surface);
        return wrong
            ?? (head.ModelName.Length == 0 ? RequestHead.MissingModel
            : head.Stream ? new GatewayError(400, "invalid_request", "A batch's answers come in a file: leave stream out.", "stream")
            : head.PreviousResponse is not null ? new GatewayError(400, "invalid_request", "previous_response_id is not served in a batch: send the whole conversation in input.", "previous_response_id")
            : null);
    }
}
