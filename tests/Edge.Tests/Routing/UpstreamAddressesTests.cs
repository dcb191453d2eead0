using System.Net;
using System.Net.Sockets;
using Gateway.Edge.Routing;
using Gateway.TestKit.Providers;

namespace Gateway.Edge.Tests.Routing;

/// <summary>No connection to where a cloud hands out the machine's own credentials, whatever name leads there (T-71).</summary>
public sealed class UpstreamAddressesTests
{
    [Theory]
    [InlineData("169.254.169.254", true)]
    [InlineData("169.254.170.2", true)]
    [InlineData("::ffff:169.254.169.254", true)]
    [InlineData("64:ff9b::a9fe:a9fe", true)]
    [InlineData("fe80::1", true)]
    [InlineData("fd00:ec2::254", true)]
    [InlineData("100.100.100.200", true)]
    [InlineData("192.0.0.192", true)]
    [InlineData("168.63.129.16", true)]
    [InlineData("0.0.0.0", true)]
    [InlineData("127.0.0.1", false)]
    [InlineData("10.1.2.3", false)]
    [InlineData("192.168.1.1", false)]
    [InlineData("8.8.8.8", false)]
    [InlineData("::1", false)]
    [InlineData("2001:db8::1", false)]
    public void T71_LinkLocalAndMetadataAddresses_AreRefused_OthersAreNot(string address, bool refused) =>
        Assert.Equal(refused, UpstreamAddresses.IsRefused(IPAddress.Parse(address), []));

    [Fact]
    public void WhatAnAdministratorNames_IsAllowed()
    {
        Assert.False(UpstreamAddresses.IsRefused(IPAddress.Parse("169.254.10.7"), [IPNetwork.Parse("169.254.10.0/24")]));
        Assert.True(UpstreamAddresses.IsRefused(IPAddress.Parse("169.254.169.254"), [IPNetwork.Parse("169.254.10.0/24")]));
    }

    [Fact]
    public async Task T71_ANameThatChangesItsMind_IsCheckedAtEveryConnection()
    {
        await using var provider = await ScriptedProvider.Start();
        provider.OnRequest(exchange => exchange.Send(Reply.Json(200, "{}").Header("Connection", "close")));
        var lookUps = 0;
        var told = new List<string>();
        using var client = new UpstreamClient(new UpstreamAddresses(
            () => [], told.Add, (_, _) => Task.FromResult(new[] { IPAddress.Parse(++lookUps == 1 ? "127.0.0.1" : "169.254.169.254") })));
        var address = new Uri($"http://provider.example:{new Uri(provider.Url).Port}/");

        using var first = await client.SendAsync(new HttpRequestMessage(HttpMethod.Get, address), default);
        Assert.Equal(HttpStatusCode.OK, first.StatusCode);
        await first.Content.ReadAsByteArrayAsync();
        var failure = await Assert.ThrowsAsync<HttpRequestException>(() => client.SendAsync(new HttpRequestMessage(HttpMethod.Get, address), default));

        Assert.Equal(SocketError.AccessDenied, Assert.IsType<SocketException>(failure.InnerException).SocketErrorCode);
        Assert.Equal(["provider.example"], told);
        Assert.Single(provider.Requests);
    }

    [Fact]
    public async Task T71_ARedirect_IsNotFollowed()
    {
        await using var provider = await ScriptedProvider.Start();
        provider.OnRequest(exchange => exchange.Send(Reply.Json(307, "{}").Header("Location", $"{provider.Url}/elsewhere")));
        using var client = new UpstreamClient(new UpstreamAddresses(() => [], static _ => { }));

        using var request = new HttpRequestMessage(HttpMethod.Post, provider.Url);
        request.Headers.Add("Authorization", "Bearer secret");
        using var reply = await client.SendAsync(request, default);

        Assert.Equal(HttpStatusCode.TemporaryRedirect, reply.StatusCode);
        Assert.Single(provider.Requests);
    }
}
