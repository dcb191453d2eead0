using System.Net;
using Gateway.Auth.Tests.Hosting;
using Gateway.TestKit;

namespace Gateway.Auth.Tests.Keys;

/// <summary>T-75: rotating the pepper or the master key leaves no key behind.</summary>
public sealed class PepperRotationTests
{
    private const string New = "p2:YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXowMTIzNDU=";

    [Fact]
    public async Task A_key_of_the_old_pepper_works_under_the_new_one_keeps_its_id_and_moves_when_it_is_used()
    {
        var database = await Servers.Shared.NewDatabaseAsync("auth");
        string key, id;
        await using (var before = await AuthHost.StartAsync(new AuthSetup { Database = database }))
        {
            key = await before.NewKeyAsync(new { key_alias = "rotates" });
            id = (await before.SnapshotAsync(key)).KeyId;
        }

        await using (var rotated = await AuthHost.StartAsync(new AuthSetup { Database = database, Peppers = $"{New},{AuthSetup.Pepper}" }))
        {
            Assert.Equal(id, (await rotated.SnapshotAsync(key)).KeyId);
            Assert.Equal("p2", await rotated.SqlAsync<string>("select pepper_id from keys"));
        }

        // The old pepper can go now.
        await using var after = await AuthHost.StartAsync(new AuthSetup { Database = database, Peppers = New });
        Assert.Equal(id, (await after.SnapshotAsync(key)).KeyId);
        Assert.Equal(id, (string?)(await after.GetAsync($"/key/info?key={key}")).Ok().Json["key"]);
    }

    [Fact]
    public async Task A_changed_value_under_an_old_pepper_id_ends_the_start_and_says_why()
    {
        var database = await Servers.Shared.NewDatabaseAsync("auth");
        await using (var before = await AuthHost.StartAsync(new AuthSetup { Database = database }))
        {
        }

        await using var changed = await AuthHost.StartAsync(new AuthSetup { Database = database, Peppers = New.Replace("p2", "p1", StringComparison.Ordinal) }, waitUntilReady: false);
        await changed.UntilAsync(() => Task.FromResult(changed.Log.Any(line => line.Contains("pepper 'p1' is not the one", StringComparison.Ordinal))), "the start refuses the pepper");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await ReadyAsync(changed));
    }

    [Fact]
    public async Task A_key_whose_pepper_is_gone_is_counted_in_the_log()
    {
        var database = await Servers.Shared.NewDatabaseAsync("auth");
        await using (var before = await AuthHost.StartAsync(new AuthSetup { Database = database }))
        {
            await before.NewKeyAsync(new { });
        }

        await using var after = await AuthHost.StartAsync(new AuthSetup { Database = database, Peppers = New });
        Assert.Contains(after.Log, line => line.Contains("1 keys are hashed with pepper p1, which Gateway:KeyPepper does not name", StringComparison.Ordinal));
    }

    private static async Task<HttpStatusCode> ReadyAsync(AuthHost host)
    {
        try
        {
            return (await host.Client.GetAsync("/health/ready")).StatusCode;
        }
        catch (HttpRequestException)
        {
            // It has stopped listening already.
            return HttpStatusCode.ServiceUnavailable;
        }
    }
}
