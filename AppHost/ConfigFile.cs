using System.Globalization;
using Gateway.Configuration;
using Microsoft.Extensions.Configuration;

namespace Gateway.AppHost;

/// <summary>config.yaml before anything starts: all its errors at once, or nothing in the way.</summary>
internal sealed class ConfigFile
{
    private const string Usage = """
        dotnet run --project AppHost -- [--config FILE] [--port N] [--replicas N] [--data DIR] [--dashboard-port N]
        dotnet run --project AppHost -- check FILE
        """;

    private readonly GatewayConfig? _config;

    private ConfigFile(string path, string environmentName, GatewayConfig? config, int? exitCode)
    {
        Path = path;
        EnvironmentName = environmentName;
        _config = config;
        ExitCode = exitCode;
    }

    public string Path { get; }

    /// <summary>ASPNETCORE_ENVIRONMENT for the services; Development when nothing is said.</summary>
    public string EnvironmentName { get; }

    /// <summary>Not null: there is nothing to start.</summary>
    public int? ExitCode { get; }

    public static ConfigFile Check(string[] args)
    {
        if (args.Contains("--help") || args.Contains("-h"))
        {
            Console.WriteLine(Usage);
            return new ConfigFile("", "", null, 0);
        }

        var onlyCheck = args is ["check", ..];
        var options = new ConfigurationBuilder().AddEnvironmentVariables().AddCommandLine(args).Build();
        var path = System.IO.Path.GetFullPath((onlyCheck ? args.ElementAtOrDefault(1) : options["config"]) ?? DefaultPath());
        var environmentName = options["ASPNETCORE_ENVIRONMENT"] ?? options["DOTNET_ENVIRONMENT"] ?? "Development";
        if (args.Contains("publish"))
        {
            // Published for another machine: the file and the variables that it names are there, not here.
            return new ConfigFile(path, environmentName, null, null);
        }

        var result = ConfigReader.ReadFile(path, ConfigEnvironment.Process(environmentName));
        foreach (var problem in result.Errors)
        {
            Console.Error.WriteLine($"error: {problem}");
        }

        if (result.Errors.Count > 0)
        {
            Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{path}: {result.Errors.Count} {(result.Errors.Count == 1 ? "error" : "errors")}; nothing was started."));
            return new ConfigFile(path, environmentName, null, 1);
        }

        foreach (var problem in result.Warnings)
        {
            Console.WriteLine($"warning: {problem}");
        }

        foreach (var problem in result.Notices)
        {
            Console.WriteLine($"note: {problem}");
        }

        if (onlyCheck)
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{path} is valid: {result.Config!.Models.Count} models, {result.Config.UserAccess.Count} users."));
            return new ConfigFile(path, environmentName, result.Config, 0);
        }

        return new ConfigFile(path, environmentName, result.Config, null);
    }

    /// <summary>A call to try, as the first user of the file. Only with a key that was made for Development: others are not to be printed.</summary>
    public string? FirstCall(int port)
    {
        if (_config?.UserAccess.FirstOrDefault(user => user.ApiKeyIsMade) is not { } user)
        {
            return null;
        }

        var granted = user.Models?.FirstOrDefault(model => !model.Contains('*', StringComparison.Ordinal));
        var model = granted ?? _config.Models.Select(deployment => deployment.ModelName).FirstOrDefault(name => !name.Contains('*', StringComparison.Ordinal));
        var body = $$"""{"model":"{{model}}","messages":[{"role":"user","content":"Hello!"}]}""";
        return $"curl http://localhost:{port}/chat/completions -H 'Authorization: Bearer {user.ApiKey.Reveal()}' -H 'Content-Type: application/json' -d '{body}'";
    }

    /// <summary>config.yaml here, else the one of the repository.</summary>
    private static string DefaultPath()
    {
        const string name = "config.yaml";
        if (File.Exists(name))
        {
            return name;
        }

        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(System.IO.Path.Combine(folder.FullName, "Gateway.sln")))
            {
                return System.IO.Path.Combine(folder.FullName, name);
            }
        }

        return name;
    }
}
