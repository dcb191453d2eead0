namespace Aspire.Hosting.ApplicationModel;

/// <summary>An address that a resource listens on. Ports are given to it before anything starts.</summary>
public sealed class EndpointAnnotation(string name, string scheme, int? port, int? targetPort) : IResourceAnnotation
{
    public string Name { get; } = name;

    public string UriScheme { get; } = scheme;

    /// <summary>The port that others call; null takes a free one.</summary>
    public int? Port { get; } = port;

    public int? TargetPort { get; } = targetPort;

    public bool IsExternal { get; set; }

    /// <summary>Whether other machines may call it, too (<c>--public</c>).</summary>
    internal bool IsPublic { get; set; }

    /// <summary>The port that others call, once it is known.</summary>
    internal int AllocatedPort { get; set; }

    /// <summary>The port of each replica: with one replica the same as <see cref="AllocatedPort"/>.</summary>
    internal IReadOnlyList<int> ReplicaPorts { get; set; } = [];

    internal string Url => $"{UriScheme}://localhost:{AllocatedPort}";

    /// <summary>Where a replica listens, as ASP.NET Core wants it: on every address only what is called without a balancer before it.</summary>
    internal string ListensOn(int replica) => $"{UriScheme}://{(IsPublic && ReplicaPorts.Count == 1 ? "*" : "localhost")}:{ReplicaPorts[replica]}";
}

/// <summary>A resource's endpoint, to be named in another's environment before its port is known.</summary>
public sealed class EndpointReference(IResourceWithEndpoints owner, string endpointName)
{
    public IResourceWithEndpoints Resource { get; } = owner;

    public string EndpointName { get; } = endpointName;

    public string Url => Resource.Annotations.OfType<EndpointAnnotation>().SingleOrDefault(endpoint => endpoint.Name == EndpointName)?.Url
        ?? throw new InvalidOperationException($"The resource {Resource.Name} has no endpoint {EndpointName}: add it with WithHttpEndpoint(name: \"{EndpointName}\").");
}

public sealed class EnvironmentCallbackContext(IDictionary<string, object> environmentVariables)
{
    public IDictionary<string, object> EnvironmentVariables { get; } = environmentVariables;
}

public sealed class EnvironmentCallbackAnnotation(Action<EnvironmentCallbackContext> callback) : IResourceAnnotation
{
    public Action<EnvironmentCallbackContext> Callback { get; } = callback;
}

public sealed class CommandLineArgsAnnotation(IReadOnlyList<string> arguments) : IResourceAnnotation
{
    public IReadOnlyList<string> Arguments { get; } = arguments;
}

public sealed class WaitAnnotation(IResource resource, bool untilHealthy) : IResourceAnnotation
{
    public IResource Resource { get; } = resource;

    /// <summary>False: it is enough that it runs.</summary>
    public bool UntilHealthy { get; } = untilHealthy;
}

public sealed class HttpHealthCheckAnnotation(string path, int statusCode, string? endpointName) : IResourceAnnotation
{
    public string Path { get; } = path;

    public int StatusCode { get; } = statusCode;

    public string? EndpointName { get; } = endpointName;
}

public sealed class ReplicaAnnotation(int replicas) : IResourceAnnotation
{
    public int Replicas { get; } = replicas;
}
