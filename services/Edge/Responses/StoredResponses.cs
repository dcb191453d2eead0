using Gateway.Edge.Flow;
using StackExchange.Redis;

namespace Gateway.Edge.Responses;

/// <summary>Whose a response is that a provider has stored, and which deployment stored it.</summary>
/// <param name="Owner">The caller that it was made for.</param>
/// <param name="DeploymentId">Who has it.</param>
/// <param name="Model">The public name that it was asked of.</param>
internal sealed record StoredResponse(string Owner, string DeploymentId, string Model);

/// <summary>
/// Remembers in Redis whose each stored response is. The gateway's callers share the provider's account: without this one could go on from,
/// read or delete another's response by its id.
/// </summary>
internal sealed class StoredResponses(IConnectionMultiplexer redis)
{
    private const int IdCharactersMax = 256;

    /// <summary>As long as OpenAI keeps a response.</summary>
    private static readonly TimeSpan Kept = TimeSpan.FromDays(30);

    /// <summary>Notes whose a response is, unless its caller asked for none to be stored. Never waits: the answer is on its way.</summary>
    public void Remember(RequestExchange exchange, string? id)
    {
        if (exchange.Head.StoresNothing || id is not { Length: > 0 and <= IdCharactersMax })
        {
            return;
        }

        var value = $"{exchange.Caller.Owner}\n{exchange.Target!.Id}\n{exchange.Head.ModelName}";
        try
        {
            redis.GetDatabase().StringSet(KeyOf(id), value, Kept, flags: CommandFlags.FireAndForget);
        }
        catch (RedisException)
        {
            // Then nobody can go on from it: an error for its owner, and nothing for anybody else.
        }
    }

    /// <summary>The caller's response of that id; null when there is none, or it is another's.</summary>
    /// <exception cref="RedisException">Redis does not answer.</exception>
    public async Task<StoredResponse?> FindAsync(Admission.Access.Caller caller, string id)
    {
        if (id.Length > IdCharactersMax)
        {
            return null;
        }

        var value = (string?)await redis.GetDatabase().StringGetAsync(KeyOf(id)).WaitAsync(TimeSpan.FromSeconds(2));
        return value?.Split('\n') is [var owner, var deployment, var model] && owner == caller.Owner ? new StoredResponse(owner, deployment, model) : null;
    }

    /// <summary>Forgets a response that was deleted.</summary>
    public void Forget(string id) => redis.GetDatabase().KeyDelete(KeyOf(id), CommandFlags.FireAndForget);

    private static string KeyOf(string id) => $"response:{id}";
}
