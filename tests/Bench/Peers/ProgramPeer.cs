using Gateway.Launcher.Servers;

namespace Gateway.Bench.Peers;

/// <summary>A peer that is one program of its own, with what it forks.</summary>
internal sealed class ProgramPeer : Peer
{
    private static readonly TimeSpan s_grace = TimeSpan.FromSeconds(5);

    private readonly LocalProcess process;

    private ProgramPeer(string name, string address, LocalProcess process)
        : base(name, address, () => [process.Id]) => this.process = process;

    public static ProgramPeer Start(string name, int port, ProcessSpec spec, string version, Dictionary<string, string>? headers = null)
    {
        var process = LocalProcess.Start(spec);
        var peer = new ProgramPeer(name, $"http://127.0.0.1:{port}", process) { Version = version };
        foreach (var (header, value) in headers ?? [])
        {
            peer.Headers[header] = value;
        }

        return peer;
    }

    /// <summary>Why it does not answer: its end, and its last lines.</summary>
    public string LastWords => $"{(process.HasExited ? "it ended: " : "")}{string.Join(" / ", process.LastLines.TakeLast(5))}";

    protected override async ValueTask StopAsync()
    {
        await process.StopAsync(s_grace);
        await process.DisposeAsync();
    }
}
