using System.Collections.Frozen;
using Gateway.SampleProvider.Delivery;
using Gateway.SampleProvider.OpenAi.Files;

namespace Gateway.SampleProvider.OpenAi.Batches;

/// <summary>Every batch, of whatever key, and the routes that answer their requests.</summary>
internal sealed class BatchStore(FileStore files, IHostApplicationLifetime lifetime)
{
    private const int BatchesMax = 1_000;

    private readonly FrozenDictionary<string, Surface> surfaces = new Surface[]
    {
        new ChatCompletions(), new Completions(), new Embeddings(), new Moderations(), new Responses(),
    }.ToFrozenDictionary(static surface => surface.Path);

    // The heaviest part of a batch is its input, which the files have the bound for.
    private readonly Shelf<Batch> batches = new(BatchesMax, long.MaxValue, static _ => 0);

    public IEnumerable<string> Endpoints => surfaces.Keys.Order(StringComparer.Ordinal);

    /// <summary>Keeps a batch and lets it run. What is given back is how it began, however fast it is.</summary>
    public BatchObject Start(Batch batch)
    {
        var begun = batch.Object;
        var run = new BatchRun(batch, surfaces[begun.Endpoint], files, lifetime.ApplicationStopping);
        batches.Add(begun.Id, batch);
        _ = Task.Run(run.Run);
        return begun;
    }

    public Batch? Find(string id) => batches.Find(id);

    public List<Batch> All() => batches.All();
}
