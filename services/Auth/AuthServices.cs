using Gateway.Auth.Access;
using Gateway.Auth.Keys;
using Gateway.Auth.Organizations;
using Gateway.Auth.Teams;
using Gateway.Auth.Users;
using Gateway.ServiceDefaults;

namespace Gateway.Auth;

/// <summary>Registers the parts of Auth.</summary>
internal static class AuthServices
{
    private const int ConnectSeconds = 3;
    private const int CommandSeconds = 5;
    private const int PreparedStatementsMax = 64;

    /// <summary>The database <c>auth</c>, with bounds: an edge that asks for a key would rather hear soon that it is not there.</summary>
    public static void AddAccessDatabase(this IHostApplicationBuilder builder) =>
        builder.AddNpgsqlDataSource("auth", configureDataSourceBuilder: source =>
        {
            Database.KeepSessions(source);
            source.ConnectionStringBuilder.Timeout = ConnectSeconds;
            source.ConnectionStringBuilder.CommandTimeout = CommandSeconds;
            source.ConnectionStringBuilder.CancellationTimeout = 500;
            source.ConnectionStringBuilder.MaxAutoPrepare = PreparedStatementsMax;
            source.ConnectionStringBuilder.AutoPrepareMinUsages = 2;
        });

    public static void AddAccess(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<AuthMetrics>();
        builder.Services.AddSingleton<ChangeLog>();
        builder.Services.AddSingleton<ChangeFeed>();
        builder.Services.AddHostedService(services => services.GetRequiredService<ChangeFeed>());
        builder.Services.AddSingleton<KeyResolver>();
    }

    public static void AddAdministration(this IHostApplicationBuilder builder)
    {
        builder.Services.AddTransient<KeyAdministration>();
        builder.Services.AddTransient<UserAdministration>();
        builder.Services.AddTransient<TeamAdministration>();
        builder.Services.AddTransient<OrganizationAdministration>();
    }
}
