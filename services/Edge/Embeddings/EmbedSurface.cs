using System.Buffers;
using System.Text.Json;
using Gateway.Contracts;
using Gateway.Edge.Flow;
using Gateway.Edge.Operations;
using Gateway.Edge.Providers;
using Gateway.Edge.Providers.OpenAi;
using Gateway.Edge.Routing;

namespace Gateway.Edge.Embeddings;

/// <summary>
/// Another way to ask for vectors than OpenAI's. Its bytes pass to a provider that speaks it too; elsewhere the request is said in OpenAI's
/// words and the answer in the client's.
/// </summary>
internal abstract class EmbedSurface(WholeReply whole, SurfaceProtocol protocol) : EmbeddingsOperation(whole)
{
    public sealed override HttpRequestMessage MakeRequest(RequestExchange exchange, Deployment target, in ChatCall call, out ReadOnlyMemory<byte> body)
    {
        if (target.PassedAddress(protocol) is { } address)
        {
            body = default;
            return new HttpRequestMessage(HttpMethod.Post, address) { Content = new SplicedContent(exchange.Body.Memory, Splices(exchange, target)) };
        }

        var dropped = new List<string>();
        var upstream = target.Protocol.Serve(Kind)!;
        var hub = Said(exchange, target, new DroppedFields(dropped, call.DropUnsupported, "This model's provider"));
        if (!upstream.Passes)
        {
            var translated = new ArrayBufferWriter<byte>(hub.Length + 256);
            using var asked = ChatRequest.Parse(hub);
            upstream.WriteRequest(asked.RootElement, call, translated, new DroppedFields(dropped, call.DropUnsupported, target.Provider));
            hub = translated.WrittenMemory;
        }

        ReplyHeaders.Dropped(exchange, dropped);
        body = hub;
        return new HttpRequestMessage(HttpMethod.Post, upstream.Address(target.Target))
        {
            Content = new ReadOnlyMemoryContent(body) { Headers = { ContentType = new("application/json") } },
        };
    }

    /// <inheritdoc/>
    public sealed override WholeAnswer Understand(RequestExchange exchange, Deployment target, in ChatCall call, HttpResponseMessage reply, ReadOnlyMemory<byte> body)
    {
        if (target.PassedAddress(protocol) is not null)
        {
            using var passed = JsonReading.ParseReply(body.Span);
            var tokens = Tokens(passed.RootElement);
            return new WholeAnswer(body, tokens is { } read ? new TokenUsage { Input = read } : Expected(exchange).Tokens, Estimated: tokens is null);
        }

        var answer = base.Understand(exchange, target, call, reply, body);
        var said = new ArrayBufferWriter<byte>(answer.Body.Length);
        using (var hub = JsonReading.ParseReply(answer.Body.Span))
        using (var json = new Utf8JsonWriter(said, Completion.Writing))
        {
            var vectors = hub.RootElement.Field("data"u8).Items().Select(static item => item.Field("embedding"u8)).ToArray();
            if (vectors.Length == 0 || Array.Exists(vectors, static vector => vector.ValueKind != JsonValueKind.Array))
            {
                throw new MalformedReplyException("An embedding in the provider's reply is no list of numbers.");
            }

            WriteReply(exchange, vectors, answer.Usage.PromptTokens, json);
        }

        return answer with { Body = said.WrittenMemory };
    }

    /// <summary>What is changed in a request that passes.</summary>
    protected virtual List<Splice> Splices(RequestExchange exchange, Deployment target) =>
        Splice.ForOpenAi(exchange.Body.Span, exchange.Head, target.ModelJson, forceStream: false, takesStreamOptions: false);

    /// <summary>The texts that are asked for.</summary>
    /// <exception cref="UntranslatableRequestException">It asks for what only its own protocol can say.</exception>
    protected abstract IEnumerable<JsonElement> Texts(JsonElement request);

    /// <summary>Writes what stands beside the texts in OpenAI's words.</summary>
    protected abstract void WriteRest(JsonElement request, IChatProvider provider, DroppedFields dropped, Utf8JsonWriter json);

    /// <summary>Writes the answer in the client's words.</summary>
    protected abstract void WriteReply(RequestExchange exchange, JsonElement[] vectors, long tokens, Utf8JsonWriter json);

    /// <summary>The tokens read, of a reply that passes; null when it does not say.</summary>
    protected abstract long? Tokens(JsonElement reply);

    protected override GatewayError? ReadHead(RequestExchange exchange) => RequestHead.TryRead(exchange.Body.Span, out exchange.Head, protocol, exchange.ModelInPath);

    // The texts alone: what else stands in the request has another meaning in OpenAI's words, or none.
    protected sealed override ReadOnlyMemory<byte> HubRequest(RequestExchange exchange)
    {
        using var asked = RequestHead.Parse(exchange.Body.Memory);
        return Write(json => WriteTexts(asked.RootElement, json));
    }

    private ReadOnlyMemory<byte> Said(RequestExchange exchange, Deployment target, DroppedFields dropped)
    {
        using var asked = ChatRequest.Parse(exchange.Body.Memory);
        return Write(json =>
        {
            json.WriteString("model"u8, target.ProviderModel);
            WriteTexts(asked.RootElement, json);
            WriteRest(asked.RootElement, target.Protocol, dropped, json);
        });
    }

    private void WriteTexts(JsonElement request, Utf8JsonWriter json)
    {
        json.WriteStartArray("input"u8);
        foreach (var text in Texts(request))
        {
            json.WriteCopy(text);
        }

        json.WriteEndArray();
    }

    private static ReadOnlyMemory<byte> Write(Action<Utf8JsonWriter> fields)
    {
        var output = new ArrayBufferWriter<byte>(256);
        using var json = new Utf8JsonWriter(output, Completion.Writing);
        json.WriteStartObject();
        fields(json);
        json.WriteEndObject();
        json.Flush();
        return output.WrittenMemory;
    }
}
