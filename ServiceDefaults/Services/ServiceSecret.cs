using System.Security.Cryptography;
using System.Text;
using Gateway.Contracts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Gateway.ServiceDefaults;

/// <summary>
/// The secret by which services know each other (<c>Gateway:ServiceSecret</c>, made by AppHost at each start). A service without one
/// does not start: an empty secret would let anybody in.
/// </summary>
public sealed class ServiceSecret
{
    private readonly byte[] secret;

    public ServiceSecret(string? secret)
    {
        if (secret is not { Length: >= 16 })
        {
            throw new InvalidOperationException(
                "Gateway:ServiceSecret (environment GATEWAY__SERVICESECRET) is missing or shorter than 16 characters. " +
                "Give every service of the cluster the same random value; AppHost does that by itself.");
        }

        Value = secret;
        this.secret = Encoding.UTF8.GetBytes(secret);
    }

    /// <summary>The secret, to be sent as <see cref="ServiceHeaders.Secret"/>. Never logged.</summary>
    public string Value { get; }

    /// <summary>Whether a request comes from a service; compared in constant time.</summary>
    public bool Proves(HttpRequest request) =>
        request.Headers[ServiceHeaders.Secret] is [{ } sent]
        && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(sent), secret);

    /// <summary>Leaves the secret out.</summary>
    public override string ToString() => "ServiceSecret { *** }";
}

/// <summary>Guards routes that only services call, and signs the calls.</summary>
public static class ServiceSecretExtensions
{
    internal static void AddServiceSecret<TBuilder>(this TBuilder builder)
        where TBuilder : IHostApplicationBuilder =>
        builder.Services.AddSingleton(_ => new ServiceSecret(builder.Configuration["Gateway:ServiceSecret"]));

    /// <summary>Answers 404 to whoever does not have the secret: what is internal does not exist for others.</summary>
    public static TBuilder RequireService<TBuilder>(this TBuilder endpoints)
        where TBuilder : IEndpointConventionBuilder
    {
        EndpointFilterExtensions.AddEndpointFilterFactory(endpoints, (_, next) => context =>
            context.HttpContext.RequestServices.GetRequiredService<ServiceSecret>().Proves(context.HttpContext.Request)
                ? next(context)
                : ValueTask.FromResult<object?>(Problems.Result(StatusCodes.Status404NotFound, "route_not_found", "There is no such route.")));
        return endpoints;
    }

    /// <summary>Sends the secret with every request of this client.</summary>
    public static IHttpClientBuilder AddServiceSecret(this IHttpClientBuilder client)
    {
        client.ConfigureHttpClient((services, http) =>
            http.DefaultRequestHeaders.Add(ServiceHeaders.Secret, services.GetRequiredService<ServiceSecret>().Value));
        return client;
    }

}
