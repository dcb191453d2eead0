using System.Buffers;
using Gateway.Contracts;
using Gateway.Edge.Files;
using Gateway.Edge.Flow;
using Gateway.Edge.Providers;
using Gateway.Edge.Routing;
using Gateway.Edge.Streaming;

namespace Gateway.Edge.Batches;

/// <summary>
/// Reads a batch's input, line by line, and writes it with the provider's name of the model: what is wrong is said before anything is sent,
/// and what it can cost is known when the last line was read. No more than a line is held.
/// </summary>
/// <param name="choose">The deployment that the batch goes to, once its model and what it asks for are known.</param>
internal sealed class BatchInput(Func<string, BatchEndpoint, (Deployment? Target, GatewayError? Error)> choose)
{
    /// <summary>OpenAI's own bound.</summary>
    public const int LinesMax = 50_000;

    private const int PieceBytes = 64 * 1024;
    private const int LineBytesMax = 8 << 20;

    private readonly HashSet<string> customIds = new(StringComparer.Ordinal);
    private BatchEndpoint? endpoint;
    private int lineNumber;
    private long bodyBytes;
    private Money worstCase;

    /// <summary>The public name of its model; null before the first line.</summary>
    public string? Model { get; private set; }

    /// <summary>Where it goes; null before the first line.</summary>
    public Deployment? Target { get; private set; }

    /// <summary>What was counted.</summary>
    public BatchLines Lines => new(endpoint?.Path ?? "", customIds.Count, bodyBytes, worstCase);

    /// <summary>Reads the whole; the error names the line and says how to mend it.</summary>
    public async Task<GatewayError?> CopyAsync(Stream input, Stream output, CancellationToken cancellation)
    {
        using var lines = new LinesReader(LineBytesMax);
        var written = new ArrayBufferWriter<byte>(PieceBytes);
        var buffer = ArrayPool<byte>.Shared.Rent(PieceBytes);
        try
        {
            int read;
            while ((read = await input.ReadAsync(buffer, cancellation)) > 0)
            {
                lines.Append(buffer.AsSpan(0, read));
                if (TakeWhole(lines, written) is { } wrong)
                {
                    return wrong;
                }

                await output.WriteAsync(written.WrittenMemory, cancellation);
                written.ResetWrittenCount();
            }

            if (TakeLast(lines, written) is { } last)
            {
                return last;
            }

            await output.WriteAsync(written.WrittenMemory, cancellation);
            return customIds.Count == 0 ? Wrong("The file has no line: write each request as one JSON object on a line of its own.") : null;
        }
        catch (MalformedReplyException)
        {
            lineNumber++;
            return AtLine(Wrong($"it is longer than {LineBytesMax >> 20} MiB."));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private GatewayError? TakeWhole(LinesReader lines, IBufferWriter<byte> output)
    {
        while (lines.TryRead(out var line))
        {
            lineNumber++;
            if (line.HasData && Take(line.Data, output) is { } wrong)
            {
                return AtLine(wrong);
            }
        }

        return null;
    }

    private GatewayError? TakeLast(LinesReader lines, IBufferWriter<byte> output)
    {
        lineNumber++;
        return lines.TryReadLast(out var line) && line.HasData && Take(line.Data, output) is { } wrong ? AtLine(wrong) : null;
    }

    private GatewayError? Take(ReadOnlySpan<byte> line, IBufferWriter<byte> output)
    {
        if (BatchLine.TryRead(line, out var asked) is { } wrong)
        {
            return wrong;
        }

        if (customIds.Count == LinesMax)
        {
            return Wrong($"a batch has at most {LinesMax} lines. Send the rest in another one.");
        }

        endpoint ??= asked.Endpoint;
        if (asked.Endpoint != endpoint)
        {
            return Wrong($"its url is {asked.Endpoint.Path}, and that of the first line is {endpoint.Path}: a batch asks for one thing only.");
        }

        var body = line[asked.BodyStart..asked.BodyEnd].ToArray();
        if (endpoint.ReadHead(body, out var head) is { } unfit)
        {
            return unfit with { Param = "file" };
        }

        if (FilePlaces.MayBeIn(body) && FilePlaces.Of(body) is [var file, ..])
        {
            return Wrong($"it names the gateway's file {file.Id}, which its provider does not know by that id. In a batch, send what the file holds (file_data).");
        }

        Model ??= head.ModelName;
        if (head.ModelName != Model)
        {
            return Wrong("its model is another one than the first line's: a batch has one model.");
        }

        if (Target is null)
        {
            (Target, var refusal) = choose(Model, endpoint);
            if (Target is null)
            {
                return refusal;
            }
        }

        if (!customIds.Add(asked.CustomId))
        {
            return Wrong("its custom_id is that of a line before it: give each line one of its own.");
        }

        bodyBytes += body.Length;
        var most = BatchEstimate.WorstCase(endpoint, body, head, Target);
        worstCase = most > Money.MaxValue - worstCase ? Money.MaxValue : worstCase + most;
        output.Write(line[..asked.BodyStart]);
        output.Write(new SplicedContent(body, Splice.ForOpenAi(body, head, Target.ModelJson, forceStream: false, takesStreamOptions: false)).ToArray());
        output.Write(line[asked.BodyEnd..]);
        output.Write("\n"u8);
        return null;
    }

    // Whether the key may use the model is said of the file as a whole.
    private GatewayError AtLine(GatewayError wrong) => wrong.Param == "file" ? wrong with { Message = $"Line {lineNumber}: {wrong.Message}" } : wrong;

    private static GatewayError Wrong(string what) => new(400, "invalid_request", what, "file");
}
