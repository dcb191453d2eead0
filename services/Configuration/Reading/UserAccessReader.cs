using Gateway.Configuration.Schema;
using Gateway.Configuration.Yaml;

namespace Gateway.Configuration.Reading;

/// <summary>Reads <c>user_access</c>.</summary>
internal sealed class UserAccessReader(Findings findings, List<NameInUse> names, CredentialUses credentials)
{
    private const long PerMinuteMax = 1_000_000_000_000;

    private readonly Dictionary<string, int> userLines = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> keyOwners = new(StringComparer.Ordinal);
    private readonly List<string> made = [];

    public List<UserAccess> Read(YamlNode? list, Secret? masterKey)
    {
        var users = new List<UserAccess>();
        if (masterKey is not null)
        {
            keyOwners[masterKey.Reveal()] = "general_settings.master_key";
        }

        foreach (var (node, path) in Values.List(findings, list, "user_access"))
        {
            if (Section.Of(findings, node, path, ConfigSchema.Access) is { } entry && ReadEntry(entry) is { } user)
            {
                users.Add(user);
            }
        }

        if (made.Count > 0)
        {
            findings.Notice("user_access", $"users without api_key got the key <user_id>-token, which anybody can guess: {string.Join(", ", made)}.");
        }

        return users;
    }

    private UserAccess? ReadEntry(Section entry)
    {
        var userId = entry.Required("user_id", "team-alpha");
        var isSecond = userId is not null && !userLines.TryAdd(userId, entry.Value("user_id")!.Line);
        if (isSecond)
        {
            findings.Error(
                entry.Value("user_id")!, entry.PathOf("user_id"), userId, $"the user '{userId}' has an entry already, on line {userLines[userId!]}.",
                "Merge the two entries, or give one another name.");
        }

        if (userId is not null && userId.Any(letter => letter == '/' || char.IsControl(letter)))
        {
            findings.Error(entry.Value("user_id")!, entry.PathOf("user_id"), userId, $"'{userId}' has a slash or a control character.", "Write letters, digits, '-', '_', '.' and '@'.");
        }

        var budget = Budget.Read(findings, entry, "max_budget", "budget_duration");
        var softBudget = entry.Dollars("soft_budget");
        if (softBudget is { } soft && budget.Limit is { } limit && soft > limit)
        {
            findings.Warn(entry.Value("soft_budget")!, entry.PathOf("soft_budget"), null, $"it is above max_budget ({limit}), so it never alerts.", "Write a smaller amount.");
        }

        var user = new
        {
            Models = ReadModels(entry),
            RpmLimit = entry.Whole("rpm_limit", 0, PerMinuteMax),
            TpmLimit = entry.Whole("tpm_limit", 0, PerMinuteMax),
            MaxParallelRequests = entry.Count("max_parallel_requests"),
            TeamId = entry.Text("team_id"),
            Credentials = credentials.Read(entry.Value("credentials"), entry.PathOf("credentials")),
        };
        var key = isSecond ? null : ReadKey(entry, userId);
        if (userId is null || key is null)
        {
            return null;
        }

        return new UserAccess
        {
            UserId = userId,
            Models = user.Models,
            MaxBudget = budget.Limit,
            SoftBudget = softBudget,
            BudgetDuration = budget.Period,
            RpmLimit = user.RpmLimit,
            TpmLimit = user.TpmLimit,
            MaxParallelRequests = user.MaxParallelRequests,
            TeamId = user.TeamId,
            Credentials = user.Credentials,
            ApiKey = key,
            ApiKeyIsMade = entry.Value("api_key") is null,
        };
    }

    private List<string> ReadModels(Section entry)
    {
        if (entry.Value("models") is null)
        {
            findings.Missing(entry.Node, entry.PathOf("models"), "Write 'models: [gpt-4o, …]', or 'models: [\"*\"]' for every model.");
            return [];
        }

        var models = entry.Texts("models") ?? [];
        names.AddRange(models.Where(model => !IsEveryModel(model.Text)).Select(model => new NameInUse(model.Text, model.Node, model.Path, NameUse.Grant)));
        if (entry.Value("models") is YamlList { Items.Count: 0 } empty)
        {
            findings.Warn(empty, entry.PathOf("models"), null, "the list is empty, so the user may call no model.", "Write its models, or '[\"*\"]' for every model.");
        }

        return [.. models.Select(model => IsEveryModel(model.Text) ? "*" : model.Text)];
    }

    private Secret? ReadKey(Section entry, string? userId)
    {
        string? key;
        var node = entry.Value("api_key");
        if (node is not null)
        {
            key = entry.Secret("api_key")?.Reveal();
        }
        else if (findings.IsDevelopment)
        {
            key = userId is null ? null : $"{userId}-token";
            if (key is not null)
            {
                made.Add(key);
            }
        }
        else
        {
            findings.Missing(
                entry.Node, entry.PathOf("api_key"),
                $"Write 'api_key: os.environ/NAME'. (In the Development environment the key <user_id>-token would do; this one is {findings.EnvironmentName}.)");
            return null;
        }

        if (key is not null && !keyOwners.TryAdd(key, userId ?? entry.Path))
        {
            findings.Error(node ?? entry.Node, entry.PathOf("api_key"), "***", $"the same key is that of {keyOwners[key]}.", "Give each its own.");
        }

        return key is null ? null : new Secret(key);
    }

    private static bool IsEveryModel(string name) => name is "*" or "all-proxy-models";
}
