using System.Net;
using System.Net.Http.Json;
using Gateway.Contracts;

namespace Gateway.Ledger.Tests.Batches;

/// <summary>The register of files and batches: whose they are, and which edge looks at what.</summary>
[Collection(LedgerTurns.Name)]
public sealed class BatchTableTests
{
    [Fact]
    public async Task A_file_is_its_owners_alone_and_one_of_a_provider_has_one_id()
    {
        await using var ledger = await LedgerHost.StartAsync();
        var lines = new BatchLines("/v1/chat/completions", 3, 900, new Money(1_234));
        var file = await AddAsync(ledger, File("team/a", "file-abc") with { Lines = lines });

        Assert.Equal(file, await GetAsync<ProviderFile>(ledger, $"/internal/files/{file.Id}?owner=team/a"));
        Assert.Equal(lines, file.Lines);
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(ledger, HttpMethod.Get, $"/internal/files/{file.Id}?owner=team/b"));
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(ledger, HttpMethod.Delete, $"/internal/files/{file.Id}?owner=team/b"));
        Assert.Empty((await GetAsync<ProviderFile[]>(ledger, "/internal/files?owner=team/b&limit=10"))!);

        // Two edges see a batch's output at once: the first one's id is everybody's.
        var again = await AddAsync(ledger, File("team/a", "file-abc"));
        Assert.Equal(file.Id, again.Id);
        Assert.Equal(HttpStatusCode.NoContent, await StatusAsync(ledger, HttpMethod.Delete, $"/internal/files/{file.Id}?owner=team/a"));
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(ledger, HttpMethod.Get, $"/internal/files/{file.Id}?owner=team/a"));
    }

    [Fact]
    public async Task Files_are_listed_page_by_page_in_either_order()
    {
        await using var ledger = await LedgerHost.StartAsync();
        var at = DateTimeOffset.UtcNow;
        var ids = new List<string>();
        for (var number = 0; number < 5; number++)
        {
            // Two of one instant: the id decides, and none is left out or shown twice.
            ids.Add((await AddAsync(ledger, File("user/u", $"file-{number}", number % 2 == 0 ? "batch" : "user_data") with { CreatedAt = at.AddSeconds(number / 2) })).Id);
        }

        var first = await GetAsync<ProviderFile[]>(ledger, "/internal/files?owner=user/u&limit=3");
        var rest = await GetAsync<ProviderFile[]>(ledger, $"/internal/files?owner=user/u&limit=3&after={first![^1].Id}");
        Assert.Equal((3, 2), (first.Length, rest!.Length));
        Assert.Equal(ids.Order(), first.Concat(rest).Select(static file => file.Id).Order());
        var oldest = await GetAsync<ProviderFile[]>(ledger, "/internal/files?owner=user/u&limit=10&oldestFirst=true");
        Assert.Equal(first.Concat(rest).Reverse().Select(static file => file.Id), oldest!.Select(static file => file.Id));
        Assert.Equal(2, (await GetAsync<ProviderFile[]>(ledger, "/internal/files?owner=user/u&limit=10&purpose=user_data"))!.Length);
    }

    [Fact]
    public async Task A_batch_goes_from_submitting_to_settled_and_stays_there()
    {
        await using var ledger = await LedgerHost.StartAsync();
        var batch = await SubmitAsync(ledger, "team/a");
        Assert.Equal(BatchState.Submitting, (await FindAsync(ledger, batch.Id, "team/a"))!.State);
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(ledger, HttpMethod.Get, $"/internal/batches/{batch.Id}?owner=team/b"));

        var submission = batch.Submission;
        await ChangeAsync(ledger, batch.Id, new(BatchState.Open, "batch_of_provider", """{"status":"validating"}"""));
        await ChangeAsync(ledger, batch.Id, new(Answer: """{"status":"completed"}"""));
        var open = (await FindAsync(ledger, batch.Id, "team/a"))!;
        Assert.Equal((BatchState.Open, "batch_of_provider", """{"status":"completed"}"""), (open.State, open.ProviderId, open.Answer));
        Assert.Equal((submission.RequestId, submission.Cost, "team/a"), (open.Submission.RequestId, open.Submission.Cost, Assert.Single(open.Submission.BudgetWindows)));

        await ChangeAsync(ledger, batch.Id, new(BatchState.Settled));
        await ChangeAsync(ledger, batch.Id, new(BatchState.Open));
        Assert.Equal(BatchState.Settled, (await FindAsync(ledger, batch.Id, "team/a"))!.State);
        Assert.Empty(await ClaimAsync(ledger, 10));
        Assert.Empty(await ClaimAsync(ledger, 1, batch.Id));
        Assert.Single((await GetAsync<ProviderBatch[]>(ledger, "/internal/batches?owner=team/a&limit=10"))!);
        Assert.Empty((await GetAsync<ProviderBatch[]>(ledger, "/internal/batches?owner=team/b&limit=10"))!);
    }

    [Fact]
    public async Task Only_a_batch_that_was_never_accepted_can_be_forgotten()
    {
        await using var ledger = await LedgerHost.StartAsync();
        var refused = await SubmitAsync(ledger, "team/a");
        var accepted = await SubmitAsync(ledger, "team/a");
        await ChangeAsync(ledger, accepted.Id, new(BatchState.Open, "p1"));

        await StatusAsync(ledger, HttpMethod.Delete, $"/internal/batches/{refused.Id}");
        await StatusAsync(ledger, HttpMethod.Delete, $"/internal/batches/{accepted.Id}");

        Assert.Equal(accepted.Id, Assert.Single((await GetAsync<ProviderBatch[]>(ledger, "/internal/batches?owner=team/a&limit=10"))!).Id);
    }

    [Fact]
    public async Task Edges_that_ask_at_once_share_the_batches_and_none_gets_one_twice_before_its_time()
    {
        await using var ledger = await LedgerHost.StartAsync();
        for (var number = 0; number < 40; number++)
        {
            await ChangeAsync(ledger, (await SubmitAsync(ledger, "team/a")).Id, new(BatchState.Open, $"p{number}"));
        }

        var claimed = (await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => ClaimAsync(ledger, 10)))).SelectMany(static batches => batches).Select(static batch => batch.Id).ToList();
        claimed.AddRange((await ClaimAsync(ledger, 100)).Select(static batch => batch.Id));

        Assert.Equal((40, 40), (claimed.Count, claimed.Distinct().Count()));
        Assert.Empty(await ClaimAsync(ledger, 100));

        // A client looks at one whose time has not come.
        Assert.Equal(claimed[0], Assert.Single(await ClaimAsync(ledger, 1, claimed[0])).Id);
    }

    private static ProviderFile File(string owner, string providerId, string purpose = "batch") => new()
    {
        Id = $"file-{Guid.NewGuid():N}", Owner = owner, Model = "gpt-4o", DeploymentId = "d1", ProviderId = providerId, Purpose = purpose, Filename = "in.jsonl", Bytes = 12,
        CreatedAt = DateTimeOffset.FromUnixTimeSeconds(DateTimeOffset.UtcNow.ToUnixTimeSeconds()),
    };

    private static async Task<ProviderFile> AddAsync(LedgerHost ledger, ProviderFile file)
    {
        var reply = await ledger.Http.PostAsJsonAsync("/internal/files", file, BatchesJson.Default.ProviderFile);
        return (await reply.EnsureSuccessStatusCode().Content.ReadFromJsonAsync(BatchesJson.Default.ProviderFile))!;
    }

    private static async Task<ProviderBatch> SubmitAsync(LedgerHost ledger, string owner)
    {
        var batch = new ProviderBatch
        {
            Id = $"batch_{Guid.NewGuid():N}", Owner = owner, Model = "gpt-4o", DeploymentId = "d1", InputFileId = "file-1",
            Lines = new BatchLines("/v1/chat/completions", 1, 10, new Money(5_000)), Submission = Build.Record(5_000, windows: "team/a"), CreatedAt = DateTimeOffset.UtcNow,
        };
        (await ledger.Http.PostAsJsonAsync("/internal/batches?lookAfterMilliseconds=60000", batch, BatchesJson.Default.ProviderBatch)).EnsureSuccessStatusCode();
        return batch;
    }

    private static async Task ChangeAsync(LedgerHost ledger, string id, BatchChange change) =>
        (await ledger.Http.PostAsJsonAsync($"/internal/batches/{id}", change, BatchesJson.Default.BatchChange)).EnsureSuccessStatusCode();

    private static Task<ProviderBatch?> FindAsync(LedgerHost ledger, string id, string owner) => GetAsync<ProviderBatch>(ledger, $"/internal/batches/{id}?owner={owner}");

    private static async Task<ProviderBatch[]> ClaimAsync(LedgerHost ledger, int most, string? id = null)
    {
        var reply = await ledger.Http.PostAsJsonAsync("/internal/batches/claim", new ClaimBatches(most, TimeSpan.FromMinutes(1), id), BatchesJson.Default.ClaimBatches);
        return (await reply.EnsureSuccessStatusCode().Content.ReadFromJsonAsync(BatchesJson.Default.ProviderBatchArray))!;
    }

    private static Task<T?> GetAsync<T>(LedgerHost ledger, string path)
        where T : class => ledger.Http.GetFromJsonAsync<T>(path, BatchesJson.Default.Options);

    private static async Task<HttpStatusCode> StatusAsync(LedgerHost ledger, HttpMethod method, string path)
    {
        using var reply = await ledger.Http.SendAsync(new HttpRequestMessage(method, path));
        return reply.StatusCode;
    }
}
