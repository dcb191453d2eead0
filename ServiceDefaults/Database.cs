using System.Reflection;
using DbUp;
using DbUp.Engine.Output;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Gateway.ServiceDefaults;

/// <summary>Brings a service's schema up to date at its start.</summary>
public static partial class Database
{
    /// <summary>One lock for all: a schema changes rarely and each service has a database of its own.</summary>
    private const long MigrationLock = 0x6761_7465_7761_79;

    /// <summary>
    /// The most connections of one process, unless its connection string says <c>Maximum Pool Size</c>. Auth, Ledger and Metering together fit
    /// into the 100 that a PostgreSQL has by default, two of each into 200; what finds none free waits for one.
    /// </summary>
    public const int ConnectionsMax = 30;

    // A step may write a large table anew, and others wait for their turn meanwhile.
    private static readonly TimeSpan s_stepMax = TimeSpan.FromHours(2);

    private const string PoolSize = "Maximum Pool Size";

    /// <summary>
    /// How a service holds its connections: a bounded number. A session goes back to the pool as it is: otherwise PostgreSQL resets it before
    /// its next use, a transaction more for each one. No service leaves anything in a session: settings are local to their transaction, and
    /// who listens throws the session away.
    /// </summary>
    public static void KeepSessions(NpgsqlDataSourceBuilder source)
    {
        var connection = source.ConnectionStringBuilder;
        connection.NoResetOnClose = true;
        if (!connection.ShouldSerialize(PoolSize))
        {
            connection.MaxPoolSize = ConnectionsMax;
        }
    }

    /// <summary>
    /// Runs the scripts that <paramref name="assembly"/> embeds from its folder <c>Schema/</c>, in the order of their names, each once and in
    /// a transaction. Several processes may start at once: they take turns under an advisory lock.
    /// </summary>
    public static async Task MigrateAsync(NpgsqlDataSource dataSource, Assembly assembly, ILogger logger, CancellationToken cancellation)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellation);
        await using (var take = new NpgsqlCommand("select pg_advisory_lock($1)", connection) { Parameters = { new() { Value = MigrationLock } }, CommandTimeout = (int)s_stepMax.TotalSeconds })
        {
            await take.ExecuteNonQueryAsync(cancellation);
        }

        try
        {
            var result = DeployChanges.To
                .PostgresqlDatabase(new DbUp.Postgresql.PostgresqlConnectionManager(dataSource))
                .WithScriptsEmbeddedInAssembly(assembly, name => name.Contains(".Schema.", StringComparison.Ordinal))
                .WithTransactionPerScript()
                .WithExecutionTimeout(s_stepMax)
                .JournalToPostgresqlTable("public", "schema_versions")
                .LogTo(new Log(logger))
                .Build()
                .PerformUpgrade();
            if (!result.Successful)
            {
                throw new InvalidOperationException($"The schema could not be brought up to date: {result.ErrorScript?.Name} failed.", result.Error);
            }
        }
        finally
        {
            await using var release = new NpgsqlCommand("select pg_advisory_unlock($1)", connection) { Parameters = { new() { Value = MigrationLock } } };
            await release.ExecuteNonQueryAsync(CancellationToken.None);
        }
    }

    private sealed class Log(ILogger logger) : IUpgradeLog
    {
        public void LogTrace(string format, params object[] args) => LogDebug(format, args);

        public void LogDebug(string format, params object[] args)
        {
        }

        public void LogInformation(string format, params object[] args) => Progress(logger, string.Format(System.Globalization.CultureInfo.InvariantCulture, format, args));

        public void LogWarning(string format, params object[] args) => LogInformation(format, args);

        public void LogError(string format, params object[] args) => LogInformation(format, args);

        public void LogError(Exception ex, string format, params object[] args) => LogInformation(format, args);
    }

    [LoggerMessage(EventId = 100, Level = LogLevel.Debug, Message = "Schema: {Text}")]
    private static partial void Progress(ILogger logger, string text);
}
