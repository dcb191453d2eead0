using System.Buffers;
using System.Text.Unicode;
using Gateway.Configuration;
using Gateway.Edge.Chat;
using Gateway.Edge.Providers;
using Gateway.Edge.Routing;

namespace Gateway.Edge.Flow;

/// <summary>Makes the request to a provider: the client's own bytes where both speak the same, else the request in the provider's words.</summary>
internal static class UpstreamRequest
{
    /// <summary>The request without the headers of <see cref="AddHeaders"/>, and its body where a signature needs it.</summary>
    /// <exception cref="UntranslatableRequestException">The request cannot be said in the provider's protocol.</exception>
    public static (HttpRequestMessage Request, ReadOnlyMemory<byte> Translated) Make(RequestExchange exchange, Deployment target, in ChatCall call)
    {
        var address = exchange.Passed is not null ? target.PassedAddress(exchange.Surface!.Protocol, call.Stream) : call.Stream ? target.StreamAddress : target.Address;
        var request = new HttpRequestMessage(HttpMethod.Post, address);
        List<string>? dropped = null;
        ReadOnlyMemory<byte> translated = default;
        if (exchange.Passed is not null)
        {
            var passed = exchange.Passed.NamesModelInAddress
                ? new SplicedContent(exchange.Body.Memory, Splice.OfGateway(exchange.Body.Span, exchange.Head))
                : Spliced(exchange.Body.Memory, exchange.Head, target, call, exchange.Passed.TakesStreamOptions && target.Protocol.TakesStreamOptions, exchange.Passed.Mends(exchange.Body.Memory, target));
            request.Content = target.Protocol.WrapsPassed ? Wrapped(passed, target, counts: false) : passed;
        }
        else if (exchange.Surface is null && target.Protocol is { SpeaksOpenAiChat: true, RewritesOpenAiChat: false })
        {
            request.Content = Spliced(exchange.Body.Memory, exchange.Head, target, call, target.Protocol.TakesStreamOptions);
        }
        else
        {
            dropped = [];
            try
            {
                request.Content = Translate(exchange, target, call, dropped, out translated);
            }
            catch (InvalidOperationException) when (MayHaveBrokenNames(exchange.Body.Span))
            {
                // Such JSON can be passed on, and not be said in other words.
                throw new UntranslatableRequestException("A name in the request is no text: half of a surrogate pair, or no UTF-8.", null);
            }

            if (exchange.Surface?.Passed.AskingHeader is { } header && exchange.Context.Request.Headers.ContainsKey(header))
            {
                dropped.Add(header);
            }
        }

        ReplyHeaders.Dropped(exchange, dropped ?? (IReadOnlyList<string>)[]);
        return (request, translated);
    }

    // What a name that is no text makes the reader throw, any mistake of ours could throw as well.
    private static bool MayHaveBrokenNames(ReadOnlySpan<byte> body) => !Utf8.IsValid(body) || body.IndexOf("\\ud"u8) >= 0 || body.IndexOf("\\uD"u8) >= 0;

    private static HttpContent Translate(RequestExchange exchange, Deployment target, in ChatCall call, List<string> dropped, out ReadOnlyMemory<byte> translated)
    {
        var hub = exchange.Body.Memory;
        translated = default;
        if (exchange.Surface is { } surface)
        {
            var said = new ArrayBufferWriter<byte>(hub.Length + 256);
            surface.WriteRequest(exchange.Head.Files is { } files ? new SplicedContent(hub, files.Splices).ToArray() : hub, target.Protocol, target.KnownModel, new DroppedFields(dropped, call.DropUnsupported, "This model's provider"), said);
            hub = said.WrittenMemory;
        }

        if (target.Protocol.SpeaksOpenAiChat)
        {
            var head = exchange.Head;
            if (exchange.Surface is not null && RequestHead.TryRead(hub.Span, out head) is { } wrong)
            {
                throw new UntranslatableRequestException(wrong.Message, wrong.Param);
            }

            var passed = Spliced(hub, head, target, call, target.Protocol.TakesStreamOptions);
            if (!target.Protocol.RewritesOpenAiChat)
            {
                return passed;
            }

            hub = passed.ToArray();
        }
        else if (!target.Protocol.TakesGeminiSignatures)
        {
            hub = Splice.WithoutSignatures(hub);
        }

        var body = new ArrayBufferWriter<byte>(hub.Length + 256);
        target.Protocol.WriteRequest(hub, call, body, dropped);
        translated = body.WrittenMemory;
        return new ReadOnlyMemoryContent(translated) { Headers = { ContentType = new("application/json") } };
    }

    /// <summary>The bytes that pass, in the envelope that a cloud wants around them.</summary>
    public static HttpContent Wrapped(SplicedContent passed, Deployment target, bool counts)
    {
        var body = new ArrayBufferWriter<byte>(passed.Length + 64);
        target.Protocol.WrapPassed(passed.ToArray(), counts, body);
        return new ReadOnlyMemoryContent(body.WrittenMemory) { Headers = { ContentType = new("application/json") } };
    }

    private static SplicedContent Spliced(
        ReadOnlyMemory<byte> body, in RequestHead head, Deployment target, in ChatCall call, bool asksForUsage, IReadOnlyList<Splice>? mends = null) =>
        new(body, Splice.ForOpenAi(body.Span, head, target.ModelJson, call.Stream && !head.Stream, asksForUsage, mends));

    /// <summary>Adds the credential, the protocol's headers and those that the configuration gives the deployment, where no client's request is passed on.</summary>
    /// <exception cref="CredentialException">There is no credential that could be sent.</exception>
    public static void AddHeaders(ProviderTarget access, Deployment target, HttpRequestMessage request)
    {
        AddCredential(access, target, request);
        AddExtraHeaders(target, request);
    }

    /// <summary>Adds the credential, the protocol's headers, and of the client's those that are the protocol's own or that an administrator named.</summary>
    /// <param name="client">The client's request.</param>
    /// <param name="passed">The protocol that both sides speak; null where the request is in other words.</param>
    /// <param name="settings">Which headers are sent on.</param>
    /// <param name="target">Who is called.</param>
    /// <param name="access">As whom: <see cref="Deployment.Target"/>, looked at once for a request, because a credential may be rotated meanwhile.</param>
    /// <param name="request">Takes the headers.</param>
    /// <exception cref="CredentialException">There is no credential that could be sent.</exception>
    public static void AddHeaders(HttpRequest client, IPassedProtocol? passed, GeneralSettings settings, Deployment target, ProviderTarget access, HttpRequestMessage request)
    {
        AddCredential(access, target, request);
        foreach (var name in passed?.ForwardedHeaders ?? [])
        {
            if (client.Headers.TryGetValue(name, out var given) && given.Count > 0)
            {
                request.Headers.Remove(name);
                request.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)given);
            }
        }

        AddExtraHeaders(target, request);
        foreach (var name in settings.ForwardedClientHeaders)
        {
            // What the gateway says itself stays.
            if (client.Headers.TryGetValue(name, out var given) && !request.Headers.Contains(name))
            {
                request.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)given);
            }
        }
    }

    private static void AddCredential(ProviderTarget access, Deployment target, HttpRequestMessage request)
    {
        if (access.LacksCredential)
        {
            throw new CredentialException("The credential cannot be read any more from where it is kept.");
        }

        try
        {
            target.Protocol.AddHeaders(access, request.Headers);
        }
        catch (FormatException)
        {
            // Its message would quote the credential.
            throw new CredentialException("The credential is not fit for a header: it has a line break or another control character.");
        }
    }

    private static void AddExtraHeaders(Deployment target, HttpRequestMessage request)
    {
        foreach (var (name, value) in target.Configuration.ExtraHeaders)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }
    }
}
