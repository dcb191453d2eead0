using BenchmarkDotNet.Attributes;
using Gateway.Bench.Peers;
using Gateway.Edge.Flow;

namespace Gateway.Bench.Micro;

/// <summary>One pass over a request's body, and the model's name put in its place.</summary>
public class RequestHeadBenchmarks
{
    private static readonly byte[] s_model = "\"gpt-4-0613\""u8.ToArray();

    private byte[] body = [];

    [Params(1, 32, 400)]
    public int KiB { get; set; }

    [GlobalSetup]
    public void Prepare() => body = Prompts.Body(Prompts.Model, KiB * 1024, stream: true);

    [Benchmark]
    public bool Sniff() => RequestHead.TryRead(body, out _) is null;

    [Benchmark]
    public int SniffAndSplice()
    {
        RequestHead.TryRead(body, out var head);
        return Splice.ForOpenAi(body, head, s_model, forceStream: false).Count;
    }
}
