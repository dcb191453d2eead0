using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Gateway.Metering.Reports;

/// <summary>The JSON of reports: LiteLLM's names. Amounts are dollars as exact decimal numbers.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(List<SpendLog>))]
[JsonSerializable(typeof(SpendLogPage))]
[JsonSerializable(typeof(List<KeySpend>))]
[JsonSerializable(typeof(List<UserSpend>))]
[JsonSerializable(typeof(List<TagSpend>))]
[JsonSerializable(typeof(TotalSpend))]
[JsonSerializable(typeof(List<DaySpend>))]
[JsonSerializable(typeof(List<GlobalKeySpend>))]
[JsonSerializable(typeof(List<ModelSpend>))]
[JsonSerializable(typeof(List<ProviderSpend>))]
[JsonSerializable(typeof(List<EndUserSpend>))]
[JsonSerializable(typeof(TeamsSpend))]
[JsonSerializable(typeof(Activity))]
[JsonSerializable(typeof(JsonArray))]
[JsonSerializable(typeof(decimal))]
[JsonSerializable(typeof(DateOnly))]
internal sealed partial class ReportsJson : JsonSerializerContext;
