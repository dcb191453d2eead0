using System.Reflection;
using Aspire.Hosting.ApplicationModel;
using Gateway.Launcher.Running;
using Microsoft.Extensions.Configuration;

namespace Aspire.Hosting;

public interface IDistributedApplicationBuilder
{
    ConfigurationManager Configuration { get; }

    /// <summary>The folder of AppHost.csproj.</summary>
    string AppHostDirectory { get; }

    DistributedApplicationExecutionContext ExecutionContext { get; }

    IList<IResource> Resources { get; }

    IResourceBuilder<T> AddResource<T>(T resource)
        where T : IResource;

    IResourceBuilder<T> CreateResourceBuilder<T>(T resource)
        where T : IResource;

    DistributedApplication Build();
}

public sealed class DistributedApplicationExecutionContext
{
    public bool IsRunMode { get; } = true;

    public bool IsPublishMode { get; }
}

internal sealed class DistributedApplicationBuilder : IDistributedApplicationBuilder
{
    public DistributedApplicationBuilder(string[] args)
    {
        if (args.Contains("publish"))
        {
            throw new LaunchException("Publishing needs Aspire's own packages: build AppHost with UseAspire=true.");
        }

        Configuration.AddEnvironmentVariables();
        Configuration.AddCommandLine(args);
        var entry = Assembly.GetEntryAssembly();
        AppHostDirectory = entry?.GetCustomAttributes<AssemblyMetadataAttribute>().FirstOrDefault(data => data.Key == "apphostprojectpath")?.Value
            ?? AppContext.BaseDirectory;
    }

    public ConfigurationManager Configuration { get; } = new();

    public string AppHostDirectory { get; }

    public DistributedApplicationExecutionContext ExecutionContext { get; } = new();

    public IList<IResource> Resources { get; } = [];

    public IResourceBuilder<T> AddResource<T>(T resource)
        where T : IResource
    {
        // Names are compared as Aspire does: a connection string and a service of one name would share variables.
        if (Resources.FirstOrDefault(other => string.Equals(other.Name, resource.Name, StringComparison.OrdinalIgnoreCase)) is { } taken)
        {
            throw new InvalidOperationException($"There is already a resource named {taken.Name} ({taken.GetType().Name}); every resource needs a name of its own.");
        }

        Resources.Add(resource);
        return CreateResourceBuilder(resource);
    }

    public IResourceBuilder<T> CreateResourceBuilder<T>(T resource)
        where T : IResource => new ResourceBuilder<T>(this, resource);

    public DistributedApplication Build() => new(this);
}
