using System.Collections.Concurrent;
using System.Text;
using Gateway.Configuration;
using Gateway.Edge.Admission.Access;
using Gateway.Edge.Admission.Budgets;
using Gateway.Edge.Chat;
using Gateway.Edge.Flow;
using Gateway.Edge.Providers;
using Gateway.Edge.Routing;
using Gateway.Edge.Tests.Providers;
using Microsoft.AspNetCore.Http;

namespace Gateway.Edge.Tests.Chat;

/// <summary>A provider's stream as it goes through the relay to a client of OpenAI's chat.</summary>
internal static class RelayedStream
{
    private static readonly ConcurrentDictionary<(bool Streams, int Choices), RequestExchange> Exchanges = new();
    private static readonly ConcurrentDictionary<string, Deployment> Deployments = new(StringComparer.Ordinal);

    /// <summary>A relay that waits for the provider's bytes.</summary>
    /// <param name="provider">Who sends them.</param>
    /// <param name="call">What was asked.</param>
    /// <param name="streams">Whether the client streams; one that does not has its answer put together.</param>
    /// <param name="choices">How many answers it asked for.</param>
    public static StreamRelay Open(IChatProvider provider, ChatCall? call = null, bool streams = true, int choices = 1) => new(
        Exchanges.GetOrAdd((streams, choices), static key => Exchange(key.Streams, key.Choices)),
        Deployments.GetOrAdd(provider.Protocol, _ => Deployment(provider)),
        call ?? ProviderCases.Call(stream: true),
        withCost: false);

    /// <summary>Reads a stream in pieces of the given lengths, to its end.</summary>
    public static void Read(StreamRelay relay, ReadOnlySpan<byte> bytes, Func<int> pieceLength)
    {
        for (var at = 0; at < bytes.Length;)
        {
            var length = Math.Min(pieceLength(), bytes.Length - at);
            relay.Read(bytes.Slice(at, length));
            at += length;
        }

        relay.End();
    }

    private static RequestExchange Exchange(bool streams, int choices)
    {
        var body = Encoding.UTF8.GetBytes($$"""{"model":"public-model","stream":{{(streams ? "true" : "false")}},"n":{{choices}},"stream_options":{"include_usage":true} }""");
        var exchange = new RequestExchange(new DefaultHttpContext(), DateTimeOffset.UnixEpoch, 0, 0, new ChatOperation(null!, null!, null!), null, null)
        {
            Body = RequestBody.Of(body),
            Grant = new ModelGrant(null!, null!, Granted: true, new CostExpectation()),
        };
        Assert.Null(RequestHead.TryRead(body, out exchange.Head));
        return exchange;
    }

    private static Deployment Deployment(IChatProvider provider) => new(
        new ModelDeployment { ModelName = "public-model", DeploymentId = "d", Provider = provider.Protocol, ProviderModel = "m", Protocol = ProviderProtocol.OpenAi },
        "m", provider, new ProviderTarget("m", new Uri("http://h/v1"), "k"), null, new DeploymentHealth(), []);
}
