using System.Net.Sockets;
using System.Threading.Channels;
using Npgsql;

namespace Gateway.ServiceDefaults;

/// <summary>Why a batch could not be written: what decides whether it is worth another try.</summary>
public enum WriteFailure
{
    /// <summary>The database is down, full or busy, or this process is about to end: it will pass, and until then the messages wait. Never a reason to give a message up.</summary>
    DatabaseAway,

    /// <summary>A record is wrong: no try would do better.</summary>
    Poison,

    /// <summary>Something else: worth a few tries.</summary>
    Unexpected,
}

/// <summary>Sorts failures, for every service in the same way: what the one sets aside the other does not wait for.</summary>
public static class WriteFailures
{
    public static WriteFailure Of(Exception error) => error switch
    {
        // The writer has stopped: the message goes back to the queue when its consumer is stopped, too.
        ChannelClosedException or OperationCanceledException => WriteFailure.DatabaseAway,
        OverflowException or ArgumentException => WriteFailure.Poison,
        PostgresException postgres => Of(postgres.SqlState),
        NpgsqlException or SocketException or TimeoutException or IOException => WriteFailure.DatabaseAway,
        _ => WriteFailure.Unexpected,
    };

    /// <summary>By the class of PostgreSQL's code: its first two characters.</summary>
    private static WriteFailure Of(string state) => state[..2] switch
    {
        // 08 connection, 25006 read-only standby, 40 deadlock and serialization, 53 out of space or connections, 55 lock, 57 shutdown or
        // cancelled, 58 the machine, 28 and 3D while a database is being set up.
        "08" or "25" or "28" or "3D" or "40" or "53" or "55" or "57" or "58" => WriteFailure.DatabaseAway,
        // 22 a value that the type cannot hold, 23 a constraint, 54 too long for an index.
        "22" or "23" or "54" => WriteFailure.Poison,
        _ => WriteFailure.Unexpected,
    };
}
