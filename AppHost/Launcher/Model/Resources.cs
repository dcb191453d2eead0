namespace Aspire.Hosting.ApplicationModel;

// The part of Aspire's resource model that AppHost.cs uses, under Aspire's names: the same source compiles against Aspire's own packages.
public interface IResourceAnnotation;

public interface IResource
{
    string Name { get; }

    IList<IResourceAnnotation> Annotations { get; }
}

public interface IResourceWithEnvironment : IResource;

public interface IResourceWithArgs : IResource;

public interface IResourceWithEndpoints : IResource;

public interface IResourceWithServiceDiscovery : IResourceWithEndpoints;

public interface IResourceWithWaitSupport : IResource;

public interface IResourceWithConnectionString : IResource
{
    /// <summary>Null until the cluster's servers have been chosen.</summary>
    ValueTask<string?> GetConnectionStringAsync(CancellationToken cancellationToken = default);
}

public interface IResourceWithParent<out T> : IResource
    where T : IResource
{
    T Parent { get; }
}

public abstract class Resource(string name) : IResource
{
    public string Name { get; } = name;

    public IList<IResourceAnnotation> Annotations { get; } = [];
}

/// <summary>A value that comes from the configuration (<c>Parameters:NAME</c>), or is made once and kept in the data folder.</summary>
public sealed class ParameterResource(string name, bool secret) : Resource(name)
{
    private readonly TaskCompletionSource<string> _value = new();

    public bool Secret { get; } = secret;

    internal ParameterDefault? Default { get; init; }

    internal void Set(string value) => _value.TrySetResult(value);

    internal string Value => _value.Task.IsCompleted
        ? _value.Task.GetAwaiter().GetResult()
        : throw new InvalidOperationException($"The parameter {Name} has no value yet.");
}

public abstract class ParameterDefault
{
    public abstract string GetDefaultValue();
}

/// <summary>A server that others connect to. What stands behind it (external, program, container) is chosen at the start.</summary>
public abstract class ServerResource(string name) : Resource(name), IResourceWithConnectionString, IResourceWithWaitSupport
{
    internal string? ConnectionString { get; set; }

    internal int? Port { get; init; }

    internal ParameterResource? Password { get; init; }

    public ValueTask<string?> GetConnectionStringAsync(CancellationToken cancellationToken = default) => new(ConnectionString);
}

public sealed class RedisResource(string name) : ServerResource(name);

public sealed class RabbitMQServerResource(string name) : ServerResource(name);

public sealed class PostgresServerResource(string name) : ServerResource(name)
{
    internal List<PostgresDatabaseResource> Databases { get; } = [];
}

public sealed class PostgresDatabaseResource(string name, string databaseName, PostgresServerResource parent)
    : Resource(name), IResourceWithConnectionString, IResourceWithParent<PostgresServerResource>
{
    public string DatabaseName { get; } = databaseName;

    public PostgresServerResource Parent { get; } = parent;

    /// <summary>Given from outside: the database does not live on <see cref="Parent"/>.</summary>
    internal string? External { get; set; }

    public ValueTask<string?> GetConnectionStringAsync(CancellationToken cancellationToken = default) =>
        new(External ?? (Parent.ConnectionString is { } server ? $"{server.TrimEnd(';')};Database={DatabaseName}" : null));
}

public class ExecutableResource(string name, string command, string workingDirectory)
    : Resource(name), IResourceWithEnvironment, IResourceWithArgs, IResourceWithServiceDiscovery, IResourceWithWaitSupport
{
    public string Command { get; } = command;

    public string WorkingDirectory { get; } = workingDirectory;
}

public sealed class ProjectResource(string name)
    : Resource(name), IResourceWithEnvironment, IResourceWithArgs, IResourceWithServiceDiscovery, IResourceWithWaitSupport
{
    internal IProjectMetadata Metadata { get; init; } = null!;

    internal int Replicas => Annotations.OfType<ReplicaAnnotation>().LastOrDefault()?.Replicas ?? 1;
}
