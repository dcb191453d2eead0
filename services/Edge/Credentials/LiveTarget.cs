using Gateway.Edge.Providers;

namespace Gateway.Edge.Credentials;

/// <summary>A target whose credential is kept elsewhere: made again when a value has changed, and read by requests without a lock.</summary>
internal sealed class LiveTarget(CredentialKeeper keeper, Func<ProviderTarget> make)
{
    private Made made = new(keeper.Version, make());

    /// <summary>The target with the credential of now.</summary>
    public ProviderTarget Current => Volatile.Read(ref made) is var known && known.Version == keeper.Version ? known.Target : Renew();

    /// <summary>The provider refused a credential: whether there is another one by now, after a look at where it is kept.</summary>
    /// <param name="refused">What was called.</param>
    /// <param name="cancellation">Ends the waiting.</param>
    public async Task<bool> RenewedAsync(ProviderTarget refused, CancellationToken cancellation)
    {
        if (IsSame(Current, refused))
        {
            await keeper.LookNowAsync(cancellation);
        }

        return !IsSame(Current, refused);
    }

    private static bool IsSame(ProviderTarget one, ProviderTarget other) => (one.ApiKey, one.Cloud, one.LacksCredential) == (other.ApiKey, other.Cloud, other.LacksCredential);

    private ProviderTarget Renew()
    {
        // The number first: a value that changes meanwhile has another, and the target is made once more.
        var version = keeper.Version;
        var renewed = new Made(version, make());
        Volatile.Write(ref made, renewed);
        return renewed.Target;
    }

    private sealed record Made(long Version, ProviderTarget Target);
}
