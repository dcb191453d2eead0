using Gateway.Edge.Flow;

namespace Gateway.Edge.Tests.Flow;

public sealed class RequestIdTests
{
    private static readonly DateTimeOffset s_now = new(2026, 11, 28, 5, 0, 0, 123, TimeSpan.Zero);

    [Fact]
    public void It_is_a_UUID_of_version_7_and_tells_its_time()
    {
        var id = RequestId.New(s_now);

        Assert.Equal(7, id.Version);
        Assert.InRange(id.Variant, 8, 11);
        Assert.Equal(s_now.ToUnixTimeMilliseconds(), Convert.ToInt64(id.ToString("N")[..12], 16));
    }

    [Fact]
    public void Those_of_one_instant_and_of_several_threads_differ()
    {
        var ids = ParallelEnumerable.Range(0, 200_000).WithDegreeOfParallelism(8).Select(_ => RequestId.New(s_now)).ToHashSet();

        Assert.Equal(200_000, ids.Count);
    }
}
