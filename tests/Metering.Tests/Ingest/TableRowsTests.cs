using System.Text;
using Gateway.ServiceDefaults;
using Gateway.TestKit;
using Npgsql;

namespace Gateway.Metering.Tests.Ingest;

/// <summary>A copy puts into a table what a statement with parameters of Npgsql's puts there.</summary>
[Collection("metering")]
public sealed class TableRowsTests : IAsyncLifetime
{
    private const string Create = """
        create table copied (at timestamptz, day date, id uuid, amount bigint, number int, small smallint, flag boolean, name text, attempts jsonb, numbers int[], names text[]);
        create table inserted (like copied)
        """;

    private static readonly TableRows<Row> s_rows = new(
    [
        TableColumn.Timestamp("at", static (Row row) => row.At),
        TableColumn.Date("day", static (Row row) => row.Day),
        TableColumn.Uuid("id", static (Row row) => row.Id),
        TableColumn.BigInt("amount", static (Row row) => row.Amount),
        TableColumn.Int("number", static (Row row) => row.Number),
        TableColumn.SmallInt("small", static (Row row) => row.Small),
        TableColumn.Boolean("flag", static (Row row) => row.Flag),
        TableColumn.Text("name", static (Row row) => row.Name),
        TableColumn.Json("attempts", static (Row row) => row.Json),
        TableColumn.Ints("numbers", static (Row row) => row.Numbers, static numbers => $"{{{string.Join(',', numbers)}}}", "numbers::int[]"),
        TableColumn.Texts("names", static (Row row) => row.Names, static names => string.Join('\n', names), @"string_to_array(names, E'\n')"),
    ]);

    private static readonly Row s_row = new(new DateTime(2026, 11, 29, 1, 2, 3, DateTimeKind.Utc).AddTicks(4_567_890), new(2026, 11, 29), Guid.NewGuid(), 1, 2, 3, true, "n", "{}", [1], ["a"]);

    private static readonly Row[] s_many =
    [
        s_row,
        new(new DateTime(1969, 7, 20, 0, 0, 0, DateTimeKind.Utc), new(1969, 7, 20), Guid.Empty, long.MinValue, int.MinValue, short.MinValue, false, "", "[]", [], []),
        new(DateTime.UnixEpoch, new(9999, 12, 30), null, null, int.MaxValue, short.MaxValue, true, null, null, null, null),
        s_row with { Amount = long.MaxValue, Name = "é😀\t\"\\", Json = """{"a": ["é", 1.5, null]}""", Numbers = [-1, 0, int.MaxValue], Names = ["", "😀", "b c"] },
        // More than a buffer's worth, in one field and in many rows.
        s_row with { Name = new string('é', 100_000), Json = $"\"{new string('x', 70_000)}\"", Names = [.. Enumerable.Repeat("long", 20_000)] },
        .. Enumerable.Range(0, 2_000).Select(number => s_row with { Number = number }),
    ];

    private NpgsqlDataSource database = null!;

    public async Task InitializeAsync()
    {
        database = NpgsqlDataSource.Create(await Servers.Shared.NewDatabaseAsync("rows"));
        await ExecuteAsync(Create);
    }

    public async Task DisposeAsync() => await database.DisposeAsync();

    [Fact]
    public async Task A_copy_and_a_statement_store_the_same()
    {
        await using var connection = await database.OpenConnectionAsync();
        await s_rows.CopyAsync(connection, "copied", s_many, default);
        await using var insert = new NpgsqlCommand($"insert into inserted ({s_rows.Names}) select {s_rows.Expressions} from {s_rows.Unnest}", connection);
        insert.Parameters.AddRange(s_rows.Parameters(s_many).ToArray());
        await insert.ExecuteNonQueryAsync();

        Assert.Equal(s_many.LongLength, await CountAsync("copied"));
        Assert.Equal(0, await CountAsync("(table copied except all table inserted) x"));
    }

    [Fact]
    public async Task A_copy_that_ends_in_the_middle_stores_nothing_and_the_connection_goes_on()
    {
        await using var connection = await database.OpenConnectionAsync();
        await Assert.ThrowsAsync<EncoderFallbackException>(() => s_rows.CopyAsync(connection, "copied", [.. s_many, s_row with { Name = "\uD83D" }], default));

        using var stopping = new CancellationTokenSource();
        var rows = s_many.Select(row =>
        {
            stopping.Cancel();
            return row;
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => s_rows.CopyAsync(connection, "copied", rows, stopping.Token));

        await s_rows.CopyAsync(connection, "inserted", [s_row], default);
        Assert.Equal((0, 1), (await CountAsync("copied"), await CountAsync("inserted")));
    }

    [Fact]
    public async Task What_PostgreSQL_refuses_is_said_and_nothing_is_stored()
    {
        await ExecuteAsync("create unique index on copied (number)");
        await using var connection = await database.OpenConnectionAsync();
        var error = await Assert.ThrowsAsync<PostgresException>(() => s_rows.CopyAsync(connection, "copied", [.. s_many, s_many[^1]], default));

        Assert.Equal(PostgresErrorCodes.UniqueViolation, error.SqlState);
        await s_rows.CopyAsync(connection, "copied", [s_row], default);
        Assert.Equal(1, await CountAsync("copied"));
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var command = database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    private async Task<long> CountAsync(string from)
    {
        await using var command = database.CreateCommand($"select count(*) from {from}");
        return (long)(await command.ExecuteScalarAsync())!;
    }

    private sealed record Row(DateTime At, DateOnly Day, Guid? Id, long? Amount, int Number, short Small, bool Flag, string? Name, string? Json, int[]? Numbers, string[]? Names);
}
