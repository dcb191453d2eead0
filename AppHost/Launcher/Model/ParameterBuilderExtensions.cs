using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting;

public static class ParameterBuilderExtensions
{
    /// <summary>A value that must be in the configuration: <c>Parameters:NAME</c>, in the environment <c>Parameters__NAME</c> with _ for -.</summary>
    public static IResourceBuilder<ParameterResource> AddParameter(this IDistributedApplicationBuilder builder, string name, bool secret = false) =>
        builder.AddResource(new ParameterResource(name, secret));

    /// <summary>A value that is made when the configuration does not give it. It is always kept in the data folder, so that a second start has the same.</summary>
    public static IResourceBuilder<ParameterResource> AddParameter(
        this IDistributedApplicationBuilder builder, string name, ParameterDefault value, bool secret = false, bool persist = false) =>
        builder.AddResource(new ParameterResource(name, secret) { Default = value });
}
