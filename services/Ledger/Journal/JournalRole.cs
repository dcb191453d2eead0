using Npgsql;

namespace Gateway.Ledger.Journal;

/// <summary>
/// The database role that may only add to the journal. Where the connection could make it (or an administrator did), every writing
/// transaction takes it; elsewhere the journal's triggers alone refuse changes.
/// </summary>
internal sealed class JournalRole
{
    private const string Name = "gateway_ledger_writer";

    /// <summary>Runs first in a writing transaction; null where the role is not there.</summary>
    public string? SetCommand { get; private set; }

    public async Task FindAsync(NpgsqlDataSource database, CancellationToken cancellation)
    {
        await using var command = database.CreateCommand(
            $"""
            select exists (select from pg_roles where rolname = '{Name}') and pg_has_role(current_user, (select oid from pg_roles where rolname = '{Name}'), 'member')
                and has_table_privilege('{Name}', 'journal.entries', 'insert') and has_table_privilege('{Name}', 'journal.terms', 'insert') and has_table_privilege('{Name}', 'public.windows', 'update')
            """);
        SetCommand = await command.ExecuteScalarAsync(cancellation) is true ? $"set local role {Name}" : null;
    }
}
