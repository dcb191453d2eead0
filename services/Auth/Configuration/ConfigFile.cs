using Gateway.Auth.Access;
using Gateway.Auth.Keys;
using Gateway.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Gateway.Auth.Configuration;

/// <summary>Reads config.yaml at the start and whenever it changes.</summary>
internal static class ConfigFile
{
    /// <summary>Registers what is declared. A file with errors stops the start with all of them.</summary>
    public static void AddConfiguredAccess(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton(KeyPeppers.Parse(builder.Configuration["Gateway:KeyPepper"]));
        builder.Services.AddSingleton<MasterKey>();
        builder.Services.AddSingleton<AccessDefaults>();
        builder.Services.AddSingleton<AccessSync>();
        builder.Services.AddSingleton<AccessStart>();
        builder.Services.AddHostedService(services => services.GetRequiredService<AccessStart>());
        builder.Services.AddHealthChecks().AddCheck<AccessHealth>("Access");
        if (builder.Services.Any(service => service.ServiceType == typeof(DeclaredAccessSource)))
        {
            return;
        }

        var environment = ConfigEnvironment.Process(builder.Environment.EnvironmentName);
        var masterKey = builder.Configuration["Gateway:MasterKey"];
        if (builder.Configuration["Gateway:ConfigFile"] is not { Length: > 0 } path)
        {
            throw new UnusableSettingsException("Gateway:ConfigFile (environment GATEWAY__CONFIGFILE) is missing. Give the absolute path of config.yaml; AppHost does that by itself.");
        }

        var read = ConfigReader.ReadFile(path, environment);
        if (read.Config is not { } config)
        {
            throw new UnusableSettingsException(string.Join(Environment.NewLine, read.Errors));
        }

        var declared = DeclaredAccess.Of(config, masterKey);
        if (declared.Problem(builder.Environment.IsDevelopment()) is { } problem)
        {
            throw new UnusableSettingsException(problem);
        }

        builder.Services.TryAddSingleton(_ => new ConfigWatcher(path, environment, config));
        builder.Services.AddSingleton(services =>
        {
            var source = new DeclaredAccessSource(declared);
            var watcher = services.GetRequiredService<ConfigWatcher>();
            // What the watcher refuses, it keeps: the edge says the errors, here the configuration in force stays.
            watcher.Changed += result => source.Set(DeclaredAccess.Of(result.Config!, masterKey));
            return source;
        });
    }
}
