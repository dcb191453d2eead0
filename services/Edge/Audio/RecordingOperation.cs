using System.Buffers.Text;
using Gateway.Contracts;
using Gateway.Edge.Flow;
using Gateway.Edge.Operations;
using Gateway.Edge.Providers;
using Gateway.Edge.Providers.OpenAi;
using Gateway.Edge.Routing;
using Gateway.Pricing;

namespace Gateway.Edge.Audio;

/// <summary>
/// A form with a recording, sent on while it comes in; text, JSON, subtitles or events out, as they come. Billed by the second or by tokens.
/// Where the answer says neither, the length of the file tells about how long it is.
/// </summary>
internal abstract class RecordingOperation(OperationKind kind, PassedReply passed) : MeteredOperation(kind)
{
    // Of speech: 128 kbit/s is what most send, 8 kbit/s about the least that can be understood.
    private const int BytesForSecond = 16_000;
    private const int BytesForSecondLeast = 1_000;

    // OpenAI's price page: a minute of sound is $0.006, at $6 for a million tokens.
    private const double TokensForSecond = 1_000 / 60.0;
    private const int WordTokensForSecondMax = 10;
    private const int WordTokensForSecond = 3;

    public override string Name => "speech_to_text";

    public override async ValueTask<GatewayError?> ReadAsync(RequestExchange exchange, long bytesMax)
    {
        if (FormBody.Of(exchange.Context.Request, bytesMax) is not { } form)
        {
            return new GatewayError(400, "invalid_request", "The body must be a form with a file: Content-Type: multipart/form-data.", "file");
        }

        exchange.Form = form;
        var wrong = await form.ReadHeadAsync(exchange.ModelInPath is not null, exchange.Aborted);
        exchange.Head = new RequestHead { ModelName = exchange.ModelInPath ?? form.Model ?? "", Choices = 1 };
        return wrong ?? (exchange.Head.ModelName.Length == 0 ? RequestHead.MissingModel : null);
    }

    public override HttpRequestMessage MakeRequest(RequestExchange exchange, Deployment target, in ChatCall call, out ReadOnlyMemory<byte> body)
    {
        body = default;
        return new HttpRequestMessage(HttpMethod.Post, target.Protocol.Serve(Kind)!.Address(target.Target)) { Content = exchange.Form!.With(target.ProviderModel) };
    }

    public override Task<RelayResult> RelayAsync(
        RequestExchange exchange, Deployment target, ChatCall call, HttpResponseMessage reply, long began, CancellationTokenSource timer) =>
        passed.RelayAsync(exchange, target, reply, began, timer, ends => Use(exchange, target, ends));

    protected override OperationUse Most(RequestExchange exchange) => Of(exchange.Form!.FileBytes / (double)BytesForSecondLeast, WordTokensForSecondMax);

    protected override OperationUse Expected(RequestExchange exchange) => Of(exchange.Form!.FileBytes / (double)BytesForSecond, WordTokensForSecond);

    private static OperationUse Of(double seconds, int wordTokensForSecond)
    {
        var whole = (long)Math.Ceiling(Math.Max(1, seconds));
        return new(
            new TokenUsage { InputAudio = (long)Math.Ceiling(whole * TokensForSecond), Output = whole * wordTokensForSecond },
            new CostUnits(Seconds: whole));
    }

    private PassedUse Use(RequestExchange exchange, Deployment target, ReplyEnds ends)
    {
        // By the second: usage.seconds, verbose_json's duration, or when the last subtitle ends.
        if (target.Price is { PerSecond: > 0 })
        {
            var seconds = Number(ends.Last, "\"seconds\""u8) ?? Number(ends.First, "\"duration\""u8) ?? LastTime(ends.Last);
            return seconds is { } known
                ? new(new(new TokenUsage(), new CostUnits(Seconds: Math.Max(0, known))), Reported: true)
                : new(Expected(exchange) with { Tokens = new TokenUsage() }, Reported: false);
        }

        return OpenAiUsage.TryReadLast(ends.Last, out var usage) ? new(new(usage), Reported: true) : new(Expected(exchange), Reported: false);
    }

    /// <summary>The number of a field, wherever it stands.</summary>
    private static decimal? Number(ReadOnlySpan<byte> json, ReadOnlySpan<byte> field)
    {
        var at = json.LastIndexOf(field);
        return at >= 0 && Utf8Parser.TryParse(json[(at + field.Length)..].TrimStart(": \t\r\n\""u8), out decimal number, out _) ? number : null;
    }

    /// <summary>The end of the last subtitle (<c>00:01:02,500 --&gt; 00:01:04,000</c>), in seconds; null when there is none.</summary>
    private static decimal? LastTime(ReadOnlySpan<byte> subtitles)
    {
        var at = subtitles.LastIndexOf("-->"u8);
        if (at < 0)
        {
            return null;
        }

        var rest = subtitles[(at + 3)..].TrimStart(" "u8);
        var end = rest.IndexOfAny("\r\n "u8);
        var text = System.Text.Encoding.ASCII.GetString(end < 0 ? rest : rest[..end]).Replace(',', '.');
        // WebVTT leaves the hours out below one.
        text = text.Count(static character => character == ':') == 1 ? "00:" + text : text;
        return TimeSpan.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out var time) ? (decimal)time.TotalSeconds : null;
    }
}
