using System.Text.Json.Serialization;
using Gateway.ServiceDefaults;

namespace Gateway.Edge;

/// <summary>The JSON that only the edge writes.</summary>
[JsonSerializable(typeof(ErrorEnvelope))]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(Models.ModelList))]
[JsonSerializable(typeof(Models.ModelEntry))]
internal sealed partial class EdgeJson : JsonSerializerContext;
