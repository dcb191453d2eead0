using System.Diagnostics.Metrics;

namespace Gateway.Edge.Credentials;

/// <summary>What credentials that are kept elsewhere say of themselves. Their places are the configuration's own words, never their values.</summary>
internal sealed class CredentialMetrics
{
    private const int PlacesMax = 200;

    private readonly Meter meter;
    private readonly Counter<long> looks;

    public CredentialMetrics(IMeterFactory meters)
    {
        meter = meters.Create(EdgeMetrics.MeterName);
        looks = meter.CreateCounter<long>("gateway.credential.looks", "{look}", "Looks at credentials in files and stores");
    }

    /// <summary>Adds the gauge, once there is something to look at.</summary>
    public void Observe(Func<IEnumerable<(string Place, double Seconds)>> ages) => meter.CreateObservableGauge(
        "gateway.credential.age",
        () => ages().OrderByDescending(static age => age.Seconds).Take(PlacesMax)
            .Select(static age => new Measurement<double>(age.Seconds, new KeyValuePair<string, object?>("credential", age.Place))),
        "s",
        "How long ago a credential was last read from where it is kept");

    public void Looked(string store, bool failed) =>
        looks.Add(1, new KeyValuePair<string, object?>("store", store), new KeyValuePair<string, object?>("outcome", failed ? "failed" : "read"));
}
