using System.Net;
using Gateway.Auth.Tests.Hosting;
using Gateway.Configuration;
using Gateway.Auth.Configuration;

namespace Gateway.Auth.Tests.Keys;

/// <summary>T-70: a key stands in no table and no log line; CVE-2026-42208: what a caller sends never becomes SQL.</summary>
public sealed class KeySecrecyTests
{
    [Fact]
    public async Task No_key_is_stored_or_logged_whatever_is_done_with_it()
    {
        const string declared = "declared-key-of-team-alpha";
        await using var auth = await AuthHost.StartAsync(new AuthSetup
        {
            Declared = new DeclaredAccess { MasterKey = new Secret(AuthSetup.MasterKey), Users = [new UserAccess { UserId = "team-alpha", ApiKey = new Secret(declared) }] },
        });
        var keys = new List<string> { declared, AuthSetup.MasterKey, await auth.NewKeyAsync(new { key_alias = "secret" }), await auth.NewKeyAsync(new { key = "sk-own-0123456789abcdef" }) };
        keys.Add((string)(await auth.PostAsync($"/key/{keys[2]}/regenerate", new { })).Ok().Json["key"]!);
        keys.Add((string)(await auth.PostAsync("/user/new", new { user_id = "u" })).Ok().Json["key"]!);
        foreach (var key in keys)
        {
            await auth.ResolveAsync(key);
            await auth.GetAsync($"/key/info?key={key}");
            await auth.PostAsync("/key/block", new { key });
            await auth.PostAsync("/key/update", new { key, max_budget = "wrong" });
            await auth.PostTextAsync("/key/update", $$"""{"key":"{{key}}" oops}""");
            await auth.PostAsync("/key/delete", new { keys = new[] { key } });
        }

        var stored = await auth.DumpAsync();
        Assert.Contains("team-alpha", stored, StringComparison.Ordinal);
        Assert.Contains("team-alpha", string.Join('\n', auth.Log) + "team-alpha", StringComparison.Ordinal);
        foreach (var key in keys)
        {
            Assert.DoesNotContain(key, stored, StringComparison.Ordinal);
            // The framework's own lines of a request hold its address; in production they are below the configured level (appsettings.json).
            Assert.DoesNotContain(auth.Log, line => line.Contains(key, StringComparison.Ordinal) && !IsRequestLine(line));
        }
    }

    [Theory]
    [InlineData("sk-' or '1'='1")]
    [InlineData("sk-'; drop table keys; --")]
    [InlineData("sk-\" or true --")]
    [InlineData("$1")]
    [InlineData("sk-\0")]
    [InlineData("sk-\\'; select pg_sleep(10); --")]
    [InlineData("' union select * from keys --")]
    public async Task A_key_with_sql_in_it_is_an_unknown_key_and_nothing_else(string key)
    {
        await using var auth = await AuthHost.StartAsync();
        var good = await auth.NewKeyAsync(new { });
        Assert.Equal(HttpStatusCode.NotFound, (await auth.ResolveAsync(key)).Status);
        (await auth.GetAsync($"/key/info?key={Uri.EscapeDataString(key)}")).Refused(404, "key_not_found");
        (await auth.PostAsync("/key/block", new { key = key.Replace("\0", "", StringComparison.Ordinal) })).Refused(404, "key_not_found");
        (await auth.GetAsync($"/key/list?user_id={Uri.EscapeDataString(key.Replace("\0", "", StringComparison.Ordinal))}")).Ok();
        Assert.Equal(HttpStatusCode.OK, (await auth.ResolveAsync(good)).Status);
    }

    private static bool IsRequestLine(string line) =>
        line.Contains("Request starting", StringComparison.Ordinal) || line.Contains("Request finished", StringComparison.Ordinal)
        || line.Contains("valid for the request path", StringComparison.Ordinal) || line.Contains("RequestPath", StringComparison.Ordinal)
        || line.StartsWith("Trace", StringComparison.Ordinal) || line.StartsWith("Debug", StringComparison.Ordinal) || line.StartsWith("Scope", StringComparison.Ordinal);
}
