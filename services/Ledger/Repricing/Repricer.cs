using System.Globalization;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Gateway.Contracts;
using Gateway.Ledger.Journal;
using Gateway.Ledger.Reconciliation;
using Gateway.Pricing;
using Npgsql;
using NpgsqlTypes;

namespace Gateway.Ledger.Repricing;

/// <summary>What is asked for, checked.</summary>
/// <param name="Prices">The text of the prices, in the schema of a price file.</param>
internal sealed record RepricingQuestion(
    DateTimeOffset From, DateTimeOffset To, string? Provider, string? Model, PriceCatalogue Catalogue, string Prices, string? Reason, bool DryRun)
{
    /// <summary>Of everything that decides the amounts.</summary>
    public byte[] Digest() => SHA256.HashData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{From:O}\n{To:O}\n{Provider}\n{Model}\n{Prices}")));
}

/// <summary>
/// Prices a period anew: usage rows from Metering, page by page; what is booked for each from the journal; the differences as entries of their
/// own, never as edits. A run that broke off is finished by the same call again: what it has booked is booked already.
/// </summary>
internal sealed class Repricer(NpgsqlDataSource database, Posting posting, IHttpClientFactory clients) : IDisposable
{
    private const int PageRows = 1_000;

    private readonly SemaphoreSlim one = new(1, 1);

    public void Dispose() => one.Dispose();

    /// <summary>The report; null when this id stands for another question already.</summary>
    public async Task<RepricingReport?> RunAsync(Guid id, RepricingQuestion asked, string author, CancellationToken cancellation)
    {
        await one.WaitAsync(cancellation);
        try
        {
            if (!asked.DryRun && !await NoteAsync(id, asked, author, cancellation))
            {
                return null;
            }

            var sums = new RepricingSums();
            var (from, after) = (asked.From, (Guid?)null);
            while (await PageAsync(asked, from, after, cancellation) is { Count: > 0 } page)
            {
                var booked = await BookedAsync(page, cancellation);
                var results = page.ConvertAll(usage => RepricingRules.Of(usage, booked.GetValueOrDefault(usage.RequestId), asked.Catalogue, id, asked.Reason ?? "", author));
                if (!asked.DryRun && results.Where(result => result.Entry is not null).Select(result => result.Entry!).ToArray() is { Length: > 0 } entries)
                {
                    await posting.WriteAsync(entries, patient: false, cancellation);
                }

                page.Zip(results).ToList().ForEach(pair => sums.Add(pair.First, pair.Second));
                (from, after) = (page[^1].StartedAt, page[^1].RequestId);
            }

            var report = sums.Report(id, asked, author);
            if (!asked.DryRun)
            {
                await FinishAsync(id, report, cancellation);
            }

            return report;
        }
        finally
        {
            one.Release();
        }
    }

    private async Task<bool> NoteAsync(Guid id, RepricingQuestion asked, string author, CancellationToken cancellation)
    {
        await using var command = database.CreateCommand("""
            insert into repricings (id, digest, author, reason, asked) values ($1, $2, $3, $4, $5::jsonb)
            on conflict (id) do update set digest = repricings.digest returning digest = $2
            """);
        command.Parameters.AddWithValue(id);
        command.Parameters.AddWithValue(asked.Digest());
        command.Parameters.AddWithValue(author);
        command.Parameters.AddWithValue(asked.Reason ?? "");
        command.Parameters.AddWithValue(JsonSerializer.Serialize(new { from = asked.From, to = asked.To, provider = asked.Provider, model = asked.Model, prices = asked.Prices }));
        return await command.ExecuteScalarAsync(cancellation) is true;
    }

    // The first report is the one of record: a repeat finds nothing to change.
    private async Task FinishAsync(Guid id, RepricingReport report, CancellationToken cancellation)
    {
        await using var command = database.CreateCommand("update repricings set finished_at = now(), report = $2::jsonb where id = $1 and finished_at is null");
        command.Parameters.AddWithValue(id);
        command.Parameters.AddWithValue(JsonSerializer.Serialize(report));
        await command.ExecuteNonQueryAsync(cancellation);
    }

    private async Task<List<UsageToPrice>?> PageAsync(RepricingQuestion asked, DateTimeOffset from, Guid? after, CancellationToken cancellation)
    {
        var path = new StringBuilder("/internal/usage/rows?limit=").Append(PageRows)
            .Append("&from=").Append(Uri.EscapeDataString(from.ToString("O"))).Append("&to=").Append(Uri.EscapeDataString(asked.To.ToString("O")));
        foreach (var (name, value) in new[] { ("provider", asked.Provider), ("model", asked.Model), ("after", after?.ToString()) })
        {
            if (value is not null)
            {
                path.Append('&').Append(name).Append('=').Append(Uri.EscapeDataString(value));
            }
        }

        using var client = clients.CreateClient(Reconciler.MeteringClient);
        return await client.GetFromJsonAsync(path.ToString(), MeteringJson.Default.ListUsageToPrice, cancellation);
    }

    private async Task<Dictionary<Guid, BookedRequest>> BookedAsync(List<UsageToPrice> page, CancellationToken cancellation)
    {
        await using var command = database.CreateCommand("""
            select e.at, e.id, e.debit, e.credit, e.amount_nano, e.accounts, e.windows,
                (select coalesce(sum(case when r.reverses then -r.amount_nano else r.amount_nano end), 0)::bigint
                 from journal.entries r where r.at = x.at and r.about = x.id and r.kind = 'repricing')
            from unnest($1, $2) as x (at, id) join journal.booked e on e.at = x.at and e.id = x.id and e.kind = 'usage'
            """);
        command.Parameters.Add(Column.Of(page, usage => usage.StartedAt.UtcDateTime, NpgsqlDbType.TimestampTz));
        command.Parameters.Add(Column.Of(page, usage => usage.RequestId, NpgsqlDbType.Uuid));
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var booked = new Dictionary<Guid, BookedRequest>(page.Count);
        while (await reader.ReadAsync(cancellation))
        {
            var entry = new JournalEntry
            {
                At = new(reader.GetDateTime(0)),
                Id = reader.GetGuid(1),
                Debit = reader.GetString(2),
                Credit = reader.GetString(3),
                Amount = new(reader.GetInt64(4)),
                Accounts = reader.GetFieldValue<string[]>(5),
                Windows = reader.GetFieldValue<string[]>(6),
            };
            booked[entry.Id] = new(entry, new(reader.GetInt64(7)));
        }

        return booked;
    }
}
