using Gateway.Contracts;
using Gateway.Ledger.Journal;
using Gateway.ServiceDefaults;
using Npgsql;

namespace Gateway.Ledger;

/// <summary>What happens before the first message is read.</summary>
internal static class LedgerStart
{
    public static WebApplicationBuilder AddLedgerOptions(this WebApplicationBuilder builder)
    {
        builder.Services.AddOptions<LedgerOptions>().BindConfiguration("Ledger").ValidateDataAnnotations()
            .Validate(
                options => options.JournalRetention is not { } kept || kept >= options.RecordAgeMax,
                "Ledger:JournalRetention must not be shorter than Ledger:RecordAgeMax (default 400 days): a record that comes a second time would be booked a second time. Raise the one or lower the other.")
            .Validate(
                options => options.JournalRetention is not { } kept || kept >= TimeSpan.FromDays(options.ReconcileDays),
                "Ledger:JournalRetention must not be shorter than Ledger:ReconcileDays (default 2): days without entries would differ from their totals. Raise the one or lower the other.")
            .ValidateOnStart();
        builder.Services.AddSingleton<LedgerMetrics>();
        builder.Services.ConfigureHttpJsonOptions(json => json.SerializerOptions.TypeInfoResolverChain.Insert(0, ContractsJson.Default));
        return builder;
    }

    /// <summary>Brings the schema up to date and makes the journal's next months. Several processes may start at once (T-54).</summary>
    public static async Task PrepareDatabaseAsync(this WebApplication app)
    {
        var database = app.Services.GetRequiredService<NpgsqlDataSource>();
        await Database.MigrateAsync(database, typeof(LedgerStart).Assembly, app.Logger, CancellationToken.None);
        await app.Services.GetRequiredService<JournalRole>().FindAsync(database, CancellationToken.None);
        await app.Services.GetRequiredService<Partitions>().PrepareAsync(CancellationToken.None);
    }
}
