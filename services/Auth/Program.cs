using Gateway.Auth.Access;
using Gateway.Auth.Audit;
using Gateway.Auth.Configuration;
using Gateway.Auth.Keys;
using Gateway.Auth.Organizations;
using Gateway.Auth.Spend;
using Gateway.Auth.Teams;
using Gateway.Auth.Users;
using Gateway.ServiceDefaults;

namespace Gateway.Auth;

/// <summary>Auth: keys, users, teams, organizations, and who may call what.</summary>
internal static class Program
{
    public static async Task<int> Main(string[] args)
    {
        try
        {
            var app = Build(args);
            var start = app.Services.GetRequiredService<AccessStart>();
            await app.RunAsync();
            return start.Failure is null ? 0 : 1;
        }
        catch (UnusableSettingsException error)
        {
            await Console.Error.WriteLineAsync(error.Message);
            return 1;
        }
    }

    /// <summary>The service; <paramref name="configure"/> comes first, so that a test can put its own parts in.</summary>
    public static WebApplication Build(string[] args, Action<WebApplicationBuilder>? configure = null)
    {
        var builder = WebApplication.CreateBuilder(args);
        configure?.Invoke(builder);
        builder.AddServiceDefaults();
        builder.AddAccessDatabase();
        builder.AddConfiguredAccess();
        builder.AddAccess();
        builder.AddSpend();
        builder.AddAdministration();

        var app = builder.Build();
        app.UseProblems();
        app.UseUnavailable();
        app.MapDefaultEndpoints();
        app.MapAccess();
        app.MapKeys();
        app.MapUsers();
        app.MapTeams();
        app.MapOrganizations();
        app.MapAudit();
        return app;
    }
}
