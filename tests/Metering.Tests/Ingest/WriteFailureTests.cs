using System.Threading.Channels;
using Gateway.ServiceDefaults;
using Npgsql;

namespace Gateway.Metering.Tests.Ingest;

public sealed class WriteFailureTests
{
    public static TheoryData<Exception, string> Cases => new()
    {
        { new OverflowException(), "Poison" },
        { new ChannelClosedException(), "DatabaseAway" },
        { new TaskCanceledException(), "DatabaseAway" },
        { new NpgsqlException("no connection"), "DatabaseAway" },
        { new TimeoutException(), "DatabaseAway" },
        { Postgres(PostgresErrorCodes.DiskFull), "DatabaseAway" },
        { Postgres(PostgresErrorCodes.AdminShutdown), "DatabaseAway" },
        { Postgres(PostgresErrorCodes.TooManyConnections), "DatabaseAway" },
        { Postgres(PostgresErrorCodes.DeadlockDetected), "DatabaseAway" },
        { Postgres(PostgresErrorCodes.NumericValueOutOfRange), "Poison" },
        { Postgres(PostgresErrorCodes.ProgramLimitExceeded), "Poison" },
        { Postgres(PostgresErrorCodes.UndefinedTable), "Unexpected" },
        { new KeyNotFoundException(), "Unexpected" },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Of_SortsByWhatTryingAgainWouldHelp(Exception error, string failure) => Assert.Equal(failure, WriteFailures.Of(error).ToString());

    private static PostgresException Postgres(string state) => new("text", "ERROR", "ERROR", state);
}
