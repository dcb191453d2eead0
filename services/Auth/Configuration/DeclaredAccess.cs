using Gateway.Auth.Keys;
using Gateway.Configuration;

namespace Gateway.Auth.Configuration;

/// <summary>What config.yaml (and the environment) say about access.</summary>
internal sealed record DeclaredAccess
{
    public Secret? MasterKey { get; init; }

    /// <summary>The time zone that budgets are aligned to.</summary>
    public string TimeZone { get; init; } = "UTC";

    /// <summary>Requests at once for a key that states none of its own.</summary>
    public long? MaxParallelRequests { get; init; }

    /// <summary>The names in <c>credential_list</c>.</summary>
    public IReadOnlySet<string> Credentials { get; init; } = new HashSet<string>();

    public IReadOnlyList<UserAccess> Users { get; init; } = [];

    /// <summary>What of a whole configuration concerns access. The file's master key goes before the environment's.</summary>
    public static DeclaredAccess Of(GatewayConfig config, string? environmentMasterKey) => new()
    {
        MasterKey = config.General.MasterKey ?? (string.IsNullOrWhiteSpace(environmentMasterKey) ? null : new Secret(environmentMasterKey.Trim())),
        TimeZone = config.TimeZone,
        MaxParallelRequests = config.General.MaxParallelRequests,
        Credentials = config.Credentials.Keys.ToHashSet(StringComparer.Ordinal),
        Users = config.UserAccess,
    };

    /// <summary>Why it cannot be put in force; null when it can.</summary>
    public string? Problem(bool isDevelopment)
    {
        if (MasterKey?.Reveal() is not { } master)
        {
            return null;
        }

        if (master.Length < Keys.MasterKey.CharactersMin && !isDevelopment)
        {
            return $"The master key (general_settings.master_key, or GATEWAY__MASTERKEY) has less than {Keys.MasterKey.CharactersMin} characters and could be guessed. " +
                "Use a random one, such as sk-$(openssl rand -hex 24).";
        }

        return Users.FirstOrDefault(user => user.ApiKey.Reveal() == master) is { } same
            ? $"user_access: the api_key of {same.UserId} is the master key. Give the user a key of its own."
            : null;
    }
}

/// <summary>Holds what is declared now, and says when it changes.</summary>
internal sealed class DeclaredAccessSource(DeclaredAccess current)
{
    private volatile DeclaredAccess current = current;

    /// <summary>Another configuration is there. Raised after <see cref="Current"/> is set.</summary>
    public event Action? Changed;

    public DeclaredAccess Current => current;

    public void Set(DeclaredAccess declared)
    {
        current = declared;
        Changed?.Invoke();
    }
}
