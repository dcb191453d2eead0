using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting;

/// <summary>Who knows whom, and who waits for whom. The variables are those that Aspire gives.</summary>
public static class WiringBuilderExtensions
{
    /// <summary>ConnectionStrings__NAME, where NAME is the resource's or <paramref name="connectionName"/>.</summary>
    public static IResourceBuilder<TDestination> WithReference<TDestination>(
        this IResourceBuilder<TDestination> builder, IResourceBuilder<IResourceWithConnectionString> source, string? connectionName = null)
        where TDestination : IResourceWithEnvironment =>
        builder.WithEnvironment($"ConnectionStrings__{connectionName ?? source.Resource.Name}", source);

    /// <summary>services__NAME__ENDPOINT__0 and NAME_ENDPOINT for each endpoint of the other.</summary>
    public static IResourceBuilder<TDestination> WithReference<TDestination>(
        this IResourceBuilder<TDestination> builder, IResourceBuilder<IResourceWithServiceDiscovery> source)
        where TDestination : IResourceWithEnvironment => builder.WithEnvironment(context =>
        {
            var other = source.Resource;
            foreach (var endpoint in other.Annotations.OfType<EndpointAnnotation>())
            {
                var reference = new EndpointReference(other, endpoint.Name);
                context.EnvironmentVariables[$"services__{other.Name}__{endpoint.Name}__0"] = reference;
                context.EnvironmentVariables[$"{other.Name}_{endpoint.Name}".Replace('-', '_').ToUpperInvariant()] = reference;
            }
        });

    public static IResourceBuilder<T> WithEnvironment<T>(this IResourceBuilder<T> builder, string name, string? value)
        where T : IResourceWithEnvironment => builder.WithEnvironment(context => context.EnvironmentVariables[name] = value ?? "");

    public static IResourceBuilder<T> WithEnvironment<T>(this IResourceBuilder<T> builder, string name, EndpointReference endpointReference)
        where T : IResourceWithEnvironment => builder.WithEnvironment(context => context.EnvironmentVariables[name] = endpointReference);

    public static IResourceBuilder<T> WithEnvironment<T>(
        this IResourceBuilder<T> builder, string name, IResourceBuilder<ParameterResource> parameter)
        where T : IResourceWithEnvironment => builder.WithEnvironment(context => context.EnvironmentVariables[name] = parameter.Resource);

    public static IResourceBuilder<T> WithEnvironment<T>(
        this IResourceBuilder<T> builder, string envVarName, IResourceBuilder<IResourceWithConnectionString> resource)
        where T : IResourceWithEnvironment => builder.WithEnvironment(context => context.EnvironmentVariables[envVarName] = resource.Resource);

    public static IResourceBuilder<T> WithEnvironment<T>(this IResourceBuilder<T> builder, Action<EnvironmentCallbackContext> callback)
        where T : IResourceWithEnvironment => builder.With(new EnvironmentCallbackAnnotation(callback));

    /// <summary>Starts only when the other is healthy.</summary>
    public static IResourceBuilder<T> WaitFor<T>(this IResourceBuilder<T> builder, IResourceBuilder<IResource> dependency)
        where T : IResourceWithWaitSupport => builder.Wait(dependency.Resource, untilHealthy: true);

    /// <summary>Starts only when the other runs.</summary>
    public static IResourceBuilder<T> WaitForStart<T>(this IResourceBuilder<T> builder, IResourceBuilder<IResource> dependency)
        where T : IResourceWithWaitSupport => builder.Wait(dependency.Resource, untilHealthy: false);

    private static IResourceBuilder<T> Wait<T>(this IResourceBuilder<T> builder, IResource other, bool untilHealthy)
        where T : IResourceWithWaitSupport =>
        ReferenceEquals(other, builder.Resource)
            ? throw new InvalidOperationException($"The resource {other.Name} cannot wait for itself.")
            : builder.With(new WaitAnnotation(other, untilHealthy));
}
