using System.ComponentModel.DataAnnotations;

namespace Gateway.Edge.Batches;

/// <summary>How batches are watched until they are over. Section <c>Gateway:Batches</c>.</summary>
internal sealed class BatchOptions
{
    /// <summary>How often each batch is looked at, by one edge or another.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "1.00:00:00")]
    public TimeSpan LookEvery { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// How long after a submission that was not answered its provider is asked for the batch: one that does not show it by then never had it.
    /// Longer than any call to a provider.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan TakenWithin { get; init; } = TimeSpan.FromMinutes(20);

    /// <summary>How long after its submission it is given up when nobody can say what a batch cost. It stays charged at its estimate.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "30.00:00:00")]
    public TimeSpan GiveUpAfter { get; init; } = TimeSpan.FromDays(7);
}
