namespace Gateway.Ledger.Leases;

/// <summary>What edges may spend before the journal knows of it.</summary>
internal static class Leases
{
    public static WebApplicationBuilder AddLeases(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<Duties.LedgerProcesses>();
        builder.Services.AddHostedService(services => services.GetRequiredService<Duties.LedgerProcesses>());
        builder.Services.AddSingleton<Duties.EmptyHands>();
        builder.Services.AddHostedService(services => services.GetRequiredService<Duties.EmptyHands>());
        builder.Services.AddSingleton<Duties.Duty>();
        builder.Services.AddHostedService(services => services.GetRequiredService<Duties.Duty>());
        builder.Services.AddSingleton<LeaseStore>();
        builder.Services.AddSingleton<PostedTotals>();
        builder.Services.AddHostedService(services => services.GetRequiredService<PostedTotals>());
        builder.Services.AddSingleton<LeasePassTables>();
        builder.Services.AddSingleton<LeasePass>();
        builder.Services.AddHostedService(services => services.GetRequiredService<LeasePass>());
        builder.Services.AddHostedService<WindowParking>();
        return builder;
    }
}
