using Aspire.Hosting.ApplicationModel;
using Gateway.Launcher.Running;

namespace Gateway.AppHost.Tests.Running;

public sealed class ClusterTests
{
    [Fact]
    public async Task Nothing_starts_before_what_it_waits_for_is_healthy_and_the_stop_goes_the_other_way()
    {
        var store = Fake.Resource("store");
        var service = Fake.Resource("service");
        var edge = Fake.Resource("edge");
        var storeAnswers = false;
        // Traps keep the order of the ends visible in the log.
        const string script = "trap 'echo ended; exit 0' TERM; echo started; while true; do sleep 0.02; done";
        var console = new StringWriter();
        var log = Fake.Log(console);
        // Healthy is who has said so: what its log shows is then in order.
        RunUnit Speaking(IResource resource, params IResource[] waitsFor) => Fake.Unit(resource, script, waitsFor) with
        {
            IsHealthyAsync = _ => Task.FromResult(log.Last(resource.Name, 1) is ["started"] && (resource != store || Volatile.Read(ref storeAnswers))),
        };
        await using var cluster = Fake.Cluster(log, Speaking(edge, service), Speaking(service, store), Speaking(store));
        cluster.Start();
        await Fake.UntilAsync(() => log.Last("store", 1) is ["started"], "the store has started");
        Assert.Empty(log.Last("service", 10));

        Volatile.Write(ref storeAnswers, true);
        await cluster.AllHealthy;
        await cluster.StopAsync();

        var lines = console.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Replace(" ", "", StringComparison.Ordinal)).ToList();
        Assert.Equal(["store|started", "service|started", "edge|started", "edge|ended", "service|ended", "store|ended"], lines);
    }

    [Fact]
    public void A_circle_of_waits_is_refused_with_its_members()
    {
        var one = Fake.Resource("one");
        var two = Fake.Resource("two");
        var error = Assert.Throws<LaunchException>(() => Fake.Cluster(Fake.Log(), Fake.Unit(one, "", two), Fake.Unit(two, "", one)));
        Assert.Contains("one → two → one", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_unit_that_cannot_start_ends_the_start()
    {
        await using var cluster = Fake.Cluster(Fake.Log(), Fake.Unit("good", "exec sleep 1000"), Fake.Unit("bad", "exit 9") with { IsHealthyAsync = _ => Task.FromResult(false) });
        cluster.Start();
        Assert.Contains("bad ended", await cluster.Failed, StringComparison.Ordinal);
    }
}
