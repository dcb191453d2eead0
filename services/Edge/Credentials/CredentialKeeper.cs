using System.Collections.Concurrent;
using System.Threading.Channels;
using Gateway.Configuration;
using Gateway.Edge.Providers.Vertex;

namespace Gateway.Edge.Credentials;

/// <summary>
/// Keeps the values of credentials that stand in files and stores. Requests only compare a number (<see cref="Version"/>) with the one that
/// their target was made under; all reading is done here: at the start, at intervals, and soon after a provider has refused one. While a
/// store is away the last value serves on, for a stated time.
/// </summary>
internal sealed class CredentialKeeper : BackgroundService
{
    private const int ReadsAtOnce = 8;

    // A provider that refuses every call must not make every call a question to the store.
    private static readonly TimeSpan LookApart = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<SecretLocation, StoredSecret> secrets = new();
    private readonly Channel<bool> asked = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly HttpMessageInvoker http = new(new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false, PooledConnectionLifetime = TimeSpan.FromMinutes(5) });
    private readonly CredentialMetrics metrics;
    private readonly ILogger<CredentialKeeper> log;
    private readonly TimeProvider time;
    private readonly ServiceAccountTokens accounts;
    private SecretStores stores;
    private GeneralSettings settings = new();
    private TaskCompletionSource looked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long version;
    private long lookedAt;

    public CredentialKeeper(CredentialMetrics metrics, ILogger<CredentialKeeper> log, TimeProvider time)
    {
        (this.metrics, this.log, this.time) = (metrics, log, time);
        accounts = new ServiceAccountTokens(time);
        stores = new SecretStores(new GatewayConfig { FileName = "", Version = "" }, http, accounts, time);
        metrics.Observe(() => secrets.Values.Select(secret => (secret.Location.ToString(), (time.GetUtcNow() - secret.ReadAt).TotalSeconds)));
    }

    /// <summary>Changes whenever a value does.</summary>
    public long Version => Volatile.Read(ref version);

    /// <summary>The value of a secret; null when it cannot be used any more.</summary>
    public string? Reveal(Secret? secret) =>
        secret is null ? null : secret.Location is not { } location ? secret.Reveal() : secrets.GetValueOrDefault(location)?.Value;

    /// <summary>
    /// A provider refused a credential: it may have been rotated. Returns after the look. Who asks again within a second gets no other look for it
    /// and does not wait: a credential that is bad for good must not make each of its calls slow.
    /// </summary>
    public async Task LookNowAsync(CancellationToken cancellation)
    {
        var next = Volatile.Read(ref looked).Task;
        if (asked.Writer.TryWrite(true) && time.GetElapsedTime(Volatile.Read(ref lookedAt)) >= LookApart)
        {
            try
            {
                await next.WaitAsync(LookApart, time, cancellation);
            }
            catch (TimeoutException)
            {
                // The store is slow: its answer is for the next request.
            }
        }
    }

    /// <summary>Reads what a configuration needs and is not known yet, before it comes into force. On any problem nothing changes.</summary>
    /// <returns>What cannot be read, each with its reason; empty when all is there.</returns>
    public async Task<IReadOnlyList<string>> PrepareAsync(GatewayConfig configuration, CancellationToken cancellation)
    {
        var places = configuration.Models.SelectMany(static model => model.Secrets)
            .Concat(configuration.Credentials.Values.SelectMany(static credential => credential.Secrets))
            .Select(static secret => secret.Location).OfType<SecretLocation>().ToHashSet();
        var itsStores = stores.For(configuration);
        var problems = new ConcurrentBag<string>();
        var found = new ConcurrentBag<StoredSecret>();
        await ReadAsync([.. places.Where(place => !secrets.ContainsKey(place))], itsStores, (place, value, reason) =>
        {
            if (value is null)
            {
                problems.Add($"{place}: {reason}");
            }
            else
            {
                found.Add(new StoredSecret(place) { Value = value, ReadAt = time.GetUtcNow() });
            }
        }, cancellation);
        if (!problems.IsEmpty)
        {
            return [.. problems.Order(StringComparer.Ordinal)];
        }

        stores = itsStores;
        settings = configuration.General;
        foreach (var secret in found)
        {
            secrets[secret.Location] = secret;
        }

        foreach (var gone in secrets.Keys.Where(place => !places.Contains(place)))
        {
            secrets.TryRemove(gone, out _);
        }

        return [];
    }

    /// <summary>Looks at everything now.</summary>
    public async Task LookAsync(CancellationToken cancellation)
    {
        var changed = 0;
        await ReadAsync([.. secrets.Keys], stores, (place, value, reason) =>
        {
            if (secrets.TryGetValue(place, out var secret) && (value is null ? Missed(secret, reason!) : Found(secret, value)))
            {
                Interlocked.Exchange(ref changed, 1);
            }
        }, cancellation);
        if (changed == 1)
        {
            Interlocked.Increment(ref version);
        }

        Volatile.Write(ref lookedAt, time.GetTimestamp());
        Interlocked.Exchange(ref looked, new(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
    }

    public override void Dispose()
    {
        accounts.Dispose();
        http.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            using (var turn = new CancellationTokenSource(settings.CredentialRefresh, time))
            using (var either = CancellationTokenSource.CreateLinkedTokenSource(turn.Token, stoppingToken))
            {
                try
                {
                    await asked.Reader.ReadAsync(either.Token);
                }
                catch (OperationCanceledException) when (!stoppingToken.IsCancellationRequested)
                {
                    // Its time has come without anybody asking.
                }
            }

            try
            {
                await LookAsync(stoppingToken);
            }
            catch (Exception failure) when (failure is not OutOfMemoryException && !(failure is OperationCanceledException && stoppingToken.IsCancellationRequested))
            {
                log.CredentialLookFailed(failure);
            }

            await Task.Delay(settings.CredentialRefresh < LookApart ? settings.CredentialRefresh : LookApart, time, stoppingToken);
        }
    }

    private bool Found(StoredSecret secret, string value)
    {
        if (secret.Failing)
        {
            log.CredentialReadable(secret.Location.ToString());
        }

        secret.ReadAt = time.GetUtcNow();
        secret.Failing = false;
        if (secret.Value == value)
        {
            return false;
        }

        secret.Value = value;
        log.CredentialChanged(secret.Location.ToString());
        return true;
    }

    private bool Missed(StoredSecret secret, string reason)
    {
        if (!secret.Failing)
        {
            secret.Failing = true;
            log.CredentialUnreadable(secret.Location.ToString(), reason, settings.CredentialMaxStale.TotalHours);
        }

        if (secret.Value is null || time.GetUtcNow() - secret.ReadAt <= settings.CredentialMaxStale)
        {
            return false;
        }

        secret.Value = null;
        log.CredentialTooOld(secret.Location.ToString(), secret.ReadAt);
        return true;
    }

    /// <summary>Reads each path once, whatever the number of its fields that are asked for.</summary>
    private Task ReadAsync(IReadOnlyCollection<SecretLocation> places, SecretStores from, Action<SecretLocation, string?, string?> read, CancellationToken cancellation) =>
        Parallel.ForEachAsync(
            places.GroupBy(static place => (place.Store, place.Path)),
            new ParallelOptions { MaxDegreeOfParallelism = ReadsAtOnce, CancellationToken = cancellation },
            async (group, stop) =>
            {
                byte[]? document = null;
                var reason = "";
                try
                {
                    document = await from.Of(group.Key.Store).ReadAsync(group.Key.Path, stop);
                }
                catch (SecretUnavailableException unavailable)
                {
                    reason = unavailable.Message;
                }

                metrics.Looked(SecretLocation.NameOf(group.Key.Store), document is null);
                foreach (var place in group)
                {
                    try
                    {
                        read(place, document is null ? null : StoredSecret.In(document, place.Field), reason);
                    }
                    catch (SecretUnavailableException unavailable)
                    {
                        read(place, null, unavailable.Message);
                    }
                }
            });
}
