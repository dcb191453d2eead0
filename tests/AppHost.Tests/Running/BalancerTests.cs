using System.Net;
using System.Net.Sockets;
using System.Text;
using Gateway.Launcher.Running;
using Gateway.Launcher.Servers;

namespace Gateway.AppHost.Tests.Running;

public sealed class BalancerTests
{
    [Fact]
    public async Task Connections_go_round_and_skip_a_replica_that_is_dead_or_unhealthy()
    {
        using var first = new NamedServer("1");
        using var second = new NamedServer("2");
        using var third = new NamedServer("3");
        var secondIsHealthy = true;
        var port = FreePort.Take();
        await using var balancer = new Balancer(port, isPublic: false,
            [new Target(first.Port, () => true), new Target(second.Port, () => secondIsHealthy), new Target(third.Port, () => true)]);

        Assert.Equal(["1", "2", "3"], (await AskAsync(port, 3)).Order());
        Assert.Equal(["1", "2", "3"], (await AskAsync(port, 3)).Order());

        secondIsHealthy = false;
        Assert.DoesNotContain("2", await AskAsync(port, 6));

        // It looks healthy but nothing listens: the connection goes to another one.
        first.Dispose();
        Assert.All(await AskAsync(port, 4), answer => Assert.Equal("3", answer));
    }

    [Fact]
    public async Task A_replica_that_dies_under_a_connection_ends_it()
    {
        var listener = new TcpListener(IPAddress.Loopback, FreePort.Take());
        listener.Start();
        var port = FreePort.Take();
        await using var balancer = new Balancer(port, isPublic: false, [new Target(((IPEndPoint)listener.LocalEndpoint).Port, () => true)]);
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port);
        var replica = await listener.AcceptSocketAsync();
        replica.Close(0);
        listener.Stop();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        var read = await Record.ExceptionAsync(async () => Assert.Equal(0, await client.GetStream().ReadAsync(new byte[1], limit.Token)));
        Assert.True(read is null or IOException, $"{read}");
    }

    [Fact]
    public async Task What_the_client_ends_with_still_gets_its_answer()
    {
        using var server = new NamedServer("whole", answersAtEnd: true);
        var port = FreePort.Take();
        await using var balancer = new Balancer(port, isPublic: false, [new Target(server.Port, () => true)]);
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port);
        var stream = client.GetStream();
        await stream.WriteAsync("the last bytes"u8.ToArray());
        client.Client.Shutdown(SocketShutdown.Send);
        using var reader = new StreamReader(stream);
        Assert.Equal("whole 14", await reader.ReadToEndAsync());
    }

    private static async Task<List<string>> AskAsync(int port, int times)
    {
        List<string> answers = [];
        for (var count = 0; count < times; count++)
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, port);
            using var reader = new StreamReader(client.GetStream());
            answers.Add(await reader.ReadToEndAsync());
        }

        return answers;
    }

    /// <summary>Answers with its name, at once or when the client has said everything.</summary>
    private sealed class NamedServer : IDisposable
    {
        private readonly TcpListener _listener;

        public NamedServer(string name, bool answersAtEnd = false)
        {
            Port = FreePort.Take();
            _listener = new TcpListener(IPAddress.Loopback, Port);
            _listener.Start();
            _ = Task.Run(async () =>
            {
                while (true)
                {
                    using var client = await _listener.AcceptTcpClientAsync();
                    var text = name;
                    if (answersAtEnd)
                    {
                        using var all = new MemoryStream();
                        await client.GetStream().CopyToAsync(all);
                        text = $"{name} {all.Length}";
                    }

                    await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(text));
                }
            });
        }

        public int Port { get; }

        public void Dispose() => _listener.Stop();
    }
}
