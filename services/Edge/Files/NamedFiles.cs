using System.Text.Json;
using Gateway.Contracts;
using Gateway.Edge.Admission.Access;
using Gateway.Edge.Flow;
using Gateway.Edge.Routing;
using Microsoft.Extensions.Caching.Memory;

namespace Gateway.Edge.Files;

/// <summary>
/// The files that a request to a model names by the gateway's ids: they must be its caller's own, the request goes where they lie, and there
/// their provider's ids stand in its bytes. Ledger is asked for a file that this edge has not seen lately, and for nothing else.
/// </summary>
internal sealed class NamedFiles(FileRegistry files, ProviderStore providers) : IDisposable
{
    /// <summary>How many files a request may name.</summary>
    private const int FilesMax = 64;

    private const int KnownMax = 10_000;

    /// <summary>How long a file is known. Whose it is and where it lies does not change, and one that is deleted its provider refuses.</summary>
    private static readonly TimeSpan KnownFor = TimeSpan.FromMinutes(5);

    private readonly MemoryCache known = new(new MemoryCacheOptions { SizeLimit = KnownMax });

    /// <summary>Looks up what a request names, before it holds anything; the error says why it cannot go on.</summary>
    public ValueTask<GatewayError?> PrepareAsync(RequestExchange exchange) => FilePlaces.MayBeIn(exchange.Body.Span) ? new(FindAsync(exchange)) : default;

    public void Dispose() => known.Dispose();

    private async Task<GatewayError?> FindAsync(RequestExchange exchange)
    {
        var places = FilePlaces.Of(exchange.Body.Span);
        if (places.Count == 0)
        {
            return null;
        }

        var group = exchange.Grant.Group;
        if (!Array.Exists(group.Deployments, static deployment => deployment.StoreAddress("files") is not null))
        {
            return new GatewayError(400, "operation_unsupported", $"No provider of the model '{group.Name}' takes files of /v1/files: send what the file holds instead of its id.", "file_id");
        }

        var found = new Dictionary<string, ProviderFile>(StringComparer.Ordinal);
        Deployment? holder = null;
        try
        {
            foreach (var id in places.Select(static place => place.Id).Distinct())
            {
                if (found.Count == FilesMax)
                {
                    return new GatewayError(400, "invalid_request", $"The request names more than {FilesMax} files.", "file_id");
                }

                if (await FindAsync(exchange.Caller, id, exchange.Aborted) is not { } file || providers.Of(exchange.Caller, file.Model, file.DeploymentId) is not { } target
                    || target.StoreAddress("files") is null)
                {
                    return FilesRoutes.Unknown("file_id", id);
                }

                if (holder is not null && !ProviderStore.IsSameAccount(holder, target))
                {
                    return new GatewayError(400, "invalid_request", "The files of this request are at different providers: send all of them to /v1/files for one model.", "file_id");
                }

                holder = target;
                found.Add(id, file);
            }
        }
        catch (RegistryAwayException)
        {
            return RegistryAwayException.Error;
        }

        if (!exchange.Narrow(deployment => ProviderStore.IsSameAccount(deployment, holder!)))
        {
            return new GatewayError(
                400, "invalid_request", $"The files of this request are not where the model '{group.Name}' is served, or where the response is that it goes on from: send them to /v1/files with this model in the field model.", "file_id");
        }

        exchange.Head.Files = new HeadFiles(
            [.. places.Select(place => new Splice(place.Start, place.End, JsonSerializer.SerializeToUtf8Bytes(found[place.Id].ProviderId, EdgeJson.Default.String)))],
            [.. found.Values], found.Values.Sum(static file => file.Bytes));
        return null;
    }

    private async ValueTask<ProviderFile?> FindAsync(Caller caller, string id, CancellationToken cancellation)
    {
        if (known.TryGetValue((caller.Owner, id), out ProviderFile? file))
        {
            return file;
        }

        file = await files.FindAsync(caller, id, cancellation);
        return file is null ? null : known.Set((caller.Owner, id), file, new MemoryCacheEntryOptions { Size = 1, AbsoluteExpirationRelativeToNow = KnownFor });
    }
}

/// <summary>The files of the gateway's that a request names.</summary>
/// <param name="Splices">Where they stand, and their provider's ids instead.</param>
/// <param name="Known">What is known of each.</param>
/// <param name="Bytes">The size of all.</param>
internal sealed record HeadFiles(List<Splice> Splices, ProviderFile[] Known, long Bytes)
{
    /// <summary>An error in the words of a provider, with the gateway's ids.</summary>
    public GatewayError Named(GatewayError error) => Known.Aggregate(error, static (named, file) => named.Naming(file.ProviderId, file.Id));
}
