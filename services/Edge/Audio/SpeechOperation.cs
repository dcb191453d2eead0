using System.Text.Json;
using Gateway.Contracts;
using Gateway.Edge.Flow;
using Gateway.Edge.Metering;
using Gateway.Edge.Operations;
using Gateway.Edge.Providers;
using Gateway.Edge.Providers.OpenAi;
using Gateway.Edge.Routing;
using Gateway.Pricing;

namespace Gateway.Edge.Audio;

/// <summary>
/// <c>POST /v1/audio/speech</c>: a text in, sound out, as it is made. Billed by the character, or by the tokens of text and sound; the sound
/// itself does not say how many, so these are estimated by the text's length.
/// </summary>
internal sealed class SpeechOperation(PassedReply passed) : JsonRequestOperation(OperationKind.Speech)
{
    // A minute of speech is about 900 characters, and 1,250 tokens of sound: OpenAI's price page has $0.015 for it, at $12 for a million.
    private const double TokensForCharacter = 1_250 / 900.0;

    // A slow voice and a language that is spoken longer than it is written.
    private const int TokensForCharacterMax = 6;

    public override string CallType => "speech";

    public override string Name => "text_to_speech";

    public override Task<RelayResult> RelayAsync(
        RequestExchange exchange, Deployment target, ChatCall call, HttpResponseMessage reply, long began, CancellationTokenSource timer) =>
        passed.RelayAsync(exchange, target, reply, began, timer, ends => Use(exchange, target, ends), isKnownBefore: true);

    protected override OperationUse Most(RequestExchange exchange)
    {
        var (characters, _) = Input(exchange);
        return new(new TokenUsage { Input = exchange.Body.Memory.Length, OutputAudio = characters * TokensForCharacterMax }, new CostUnits(Characters: characters));
    }

    protected override OperationUse Expected(RequestExchange exchange)
    {
        var (characters, tokens) = Input(exchange);
        return new(new TokenUsage { Input = tokens, OutputAudio = (long)Math.Ceiling(characters * TokensForCharacter) }, new CostUnits(Characters: characters));
    }

    private PassedUse Use(RequestExchange exchange, Deployment target, ReplyEnds ends)
    {
        // As events (stream_format: sse) the last one has the usage; the tokens written are sound.
        if (OpenAiUsage.TryReadLast(ends.Last, out var usage))
        {
            return new(new(usage with { Output = 0, OutputAudio = usage.OutputAudio + usage.Output }, Expected(exchange).Units), Reported: true);
        }

        return target.Price is { PerCharacter: > 0 }
            ? new(new(new TokenUsage(), Expected(exchange).Units), Reported: true)
            : new(Expected(exchange), Reported: false);
    }

    private static (long Characters, long Tokens) Input(RequestExchange exchange)
    {
        using var asked = RequestHead.Parse(exchange.Body.Memory);
        var text = asked.RootElement.Field("input"u8).Text() ?? "";
        var instructions = asked.RootElement.Field("instructions"u8).Text() ?? "";
        return (text.EnumerateRunes().Count(), Math.Max(1, TokenCounter.Count(text) + TokenCounter.Count(instructions)));
    }
}
