using System.Collections;
using Aspire.Hosting.ApplicationModel;

namespace Gateway.Launcher.Running;

/// <summary>
/// The variables that a program gets, the same as Aspire's: where it listens, who it is, and what AppHost.cs said with WithReference and
/// WithEnvironment. The rest of our own environment passes through (provider keys, OTEL_EXPORTER_OTLP_*), but not connection strings:
/// a service has those of its own references only.
/// </summary>
internal sealed class ProcessEnvironment(string environmentName)
{
    public IReadOnlyDictionary<string, string?> Of(IResource resource, string unitName, int replica, IReadOnlyList<EndpointAnnotation> endpoints)
    {
        var variables = new Dictionary<string, string?>();
        foreach (DictionaryEntry variable in Environment.GetEnvironmentVariables())
        {
            var name = (string)variable.Key;
            if (name.StartsWith("ConnectionStrings__", StringComparison.OrdinalIgnoreCase)
                || name.StartsWith("services__", StringComparison.OrdinalIgnoreCase)
                || name.StartsWith("Parameters__", StringComparison.OrdinalIgnoreCase)
                || name is "ASPNETCORE_URLS" or "DOTNET_LAUNCH_PROFILE" or "HTTP_PORTS" or "ASPNETCORE_HTTP_PORTS")
            {
                variables[name] = null;
            }
        }

        if (resource is ProjectResource)
        {
            variables["ASPNETCORE_URLS"] = string.Join(';', endpoints.Select(endpoint => endpoint.ListensOn(replica)));
            variables["ASPNETCORE_ENVIRONMENT"] = environmentName;
            variables["DOTNET_ENVIRONMENT"] = environmentName;
            variables["LOGGING__CONSOLE__FORMATTERNAME"] = "simple";
            variables["LOGGING__CONSOLE__FORMATTEROPTIONS__SINGLELINE"] = "true";
            variables["OTEL_SERVICE_NAME"] = resource.Name;
            variables["OTEL_RESOURCE_ATTRIBUTES"] = $"service.instance.id={unitName}";
        }

        var said = new Dictionary<string, object>();
        foreach (var annotation in resource.Annotations.OfType<EnvironmentCallbackAnnotation>())
        {
            annotation.Callback(new EnvironmentCallbackContext(said));
        }

        foreach (var (name, value) in said)
        {
            variables[name] = Text(resource, name, value);
        }

        return variables;
    }

    private static string? Text(IResource resource, string name, object value) => value switch
    {
        string text => text,
        EndpointReference endpoint => endpoint.Url,
        ParameterResource parameter => parameter.Value,
        // Set by the plan before any program is looked at: it is there, or the server was never chosen.
        IResourceWithConnectionString server => server.GetConnectionStringAsync().AsTask().GetAwaiter().GetResult()
            ?? throw new LaunchException($"{server.Name} has no connection string; {resource.Name} needs it."),
        _ => throw new LaunchException($"The variable {name} of {resource.Name} has a value of type {value.GetType().Name}, which the launcher does not know."),
    };
}
