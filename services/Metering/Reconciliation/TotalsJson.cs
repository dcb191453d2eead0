using System.Text.Json.Serialization;

namespace Gateway.Metering.Reconciliation;

/// <summary>Between services: camelCase and nano-dollars, as everything in Contracts.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(RowTotals))]
[JsonSerializable(typeof(List<DayTotals>))]
[JsonSerializable(typeof(List<WindowTotals>))]
internal sealed partial class TotalsJson : JsonSerializerContext;
