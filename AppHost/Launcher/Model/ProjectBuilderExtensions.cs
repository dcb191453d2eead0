using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting;

/// <summary>The programs: projects of this solution and others.</summary>
public static class ProjectBuilderExtensions
{
    public static IResourceBuilder<ProjectResource> AddProject<TProject>(this IDistributedApplicationBuilder builder, string name)
        where TProject : IProjectMetadata, new() => builder.AddResource(new ProjectResource(name) { Metadata = new TProject() });

    /// <summary>Launch profiles are for `dotnet run` on one service; the launcher reads none.</summary>
    public static IResourceBuilder<ProjectResource> AddProject<TProject>(
        this IDistributedApplicationBuilder builder, string name, string? launchProfileName)
        where TProject : IProjectMetadata, new() => builder.AddProject<TProject>(name);

    public static IResourceBuilder<ExecutableResource> AddExecutable(
        this IDistributedApplicationBuilder builder, string name, string command, string workingDirectory, params string[]? args) =>
        builder.AddResource(new ExecutableResource(name, command, workingDirectory)).WithArgs(args ?? []);

    public static IResourceBuilder<ProjectResource> WithReplicas(this IResourceBuilder<ProjectResource> builder, int replicas)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(replicas, 1);
        return builder.With(new ReplicaAnnotation(replicas));
    }

    public static IResourceBuilder<T> WithArgs<T>(this IResourceBuilder<T> builder, params string[] args)
        where T : IResourceWithArgs => builder.With(new CommandLineArgsAnnotation(args));

    public static IResourceBuilder<T> WithHttpEndpoint<T>(
        this IResourceBuilder<T> builder, int? port = null, int? targetPort = null, string? name = null)
        where T : IResourceWithEndpoints => builder.With(new EndpointAnnotation(name ?? "http", "http", port, targetPort));

    public static IResourceBuilder<T> WithExternalHttpEndpoints<T>(this IResourceBuilder<T> builder)
        where T : IResourceWithEndpoints
    {
        foreach (var endpoint in builder.Resource.Annotations.OfType<EndpointAnnotation>())
        {
            endpoint.IsExternal = true;
        }

        return builder;
    }

    public static EndpointReference GetEndpoint<T>(this IResourceBuilder<T> builder, string name)
        where T : IResourceWithEndpoints => new(builder.Resource, name);

    public static IResourceBuilder<T> WithHttpHealthCheck<T>(
        this IResourceBuilder<T> builder, string? path = null, int? statusCode = null, string? endpointName = null)
        where T : IResourceWithEndpoints => builder.With(new HttpHealthCheckAnnotation(path ?? "/", statusCode ?? 200, endpointName));

    internal static IResourceBuilder<T> With<T>(this IResourceBuilder<T> builder, IResourceAnnotation annotation)
        where T : IResource
    {
        builder.Resource.Annotations.Add(annotation);
        return builder;
    }
}
