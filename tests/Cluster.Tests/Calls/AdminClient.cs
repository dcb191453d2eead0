using System.Text.Json;
using System.Text.Json.Nodes;

namespace Gateway.Cluster.Tests.Calls;

/// <summary>A key as it was made: the secret for its holder, the id for books and reports.</summary>
internal sealed record MadeKey(string Key, string Id);

/// <summary>The administrator: makes users and keys over the gateway's own address.</summary>
internal sealed class AdminClient(int port, string masterKey) : IDisposable
{
    private static int count;
    private readonly TeamClient client = new(port, masterKey);

    /// <summary>A name that no other test has.</summary>
    public static string NewName(string prefix) => $"{prefix}-{Interlocked.Increment(ref count)}";

    public async Task<MadeKey> NewKeyAsync(object fields)
    {
        var made = await PostAsync("/key/generate", fields);
        return new MadeKey(made.GetProperty("key").GetString()!, made.GetProperty("token").GetString()!);
    }

    /// <summary>A user with a budget, without a key of its own.</summary>
    public Task NewUserAsync(string userId, decimal? maxBudget = null) =>
        PostAsync("/user/new", new { user_id = userId, max_budget = maxBudget, auto_create_key = false });

    /// <summary>A key of a new user with this budget, in dollars.</summary>
    public async Task<(MadeKey Key, string UserId)> NewUserWithKeyAsync(decimal? maxBudget, string prefix = "user")
    {
        var userId = NewName(prefix);
        await NewUserAsync(userId, maxBudget);
        return (await NewKeyAsync(new { user_id = userId }), userId);
    }

    public async Task<JsonElement> PostAsync(string path, object fields)
    {
        // Shortly after an outage an administrator is told to come again, and does.
        var answer = await Eventually.Is(
            () => client.PostAsync(path, JsonSerializer.SerializeToNode(fields) ?? new JsonObject()), static answer => answer.Status != 503, $"{path} is not unavailable");
        Assert.True(answer.Status == 200, $"{path}: {answer.Status} {answer.Body}");
        return answer.Json;
    }

    public async Task<JsonElement> GetAsync(string path)
    {
        var answer = await client.GetAsync(path);
        Assert.True(answer.Status == 200, $"{path}: {answer.Status} {answer.Body}");
        return answer.Json;
    }

    public void Dispose() => client.Dispose();
}
