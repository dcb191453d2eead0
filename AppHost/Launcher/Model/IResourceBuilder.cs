namespace Aspire.Hosting.ApplicationModel;

/// <summary>A resource being described. Covariant: a builder of Redis is one of anything with a connection string.</summary>
public interface IResourceBuilder<out T>
    where T : IResource
{
    T Resource { get; }

    IDistributedApplicationBuilder ApplicationBuilder { get; }
}

internal sealed class ResourceBuilder<T>(IDistributedApplicationBuilder builder, T resource) : IResourceBuilder<T>
    where T : IResource
{
    public T Resource { get; } = resource;

    public IDistributedApplicationBuilder ApplicationBuilder { get; } = builder;
}
