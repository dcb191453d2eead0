using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Gateway.ServiceDefaults;

namespace Gateway.Edge;

/// <summary>The JSON that only the edge writes.</summary>
[JsonSerializable(typeof(ErrorEnvelope))]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(JsonElement))]
[JsonSerializable(typeof(Credentials.VaultLogin))]
[JsonSerializable(typeof(Credentials.AwsSecretRequest))]
[JsonSerializable(typeof(Models.ModelList))]
[JsonSerializable(typeof(Models.ModelEntry))]
internal sealed partial class EdgeJson : JsonSerializerContext
{
    /// <summary>For what goes to an API's client and not into a page: an apostrophe stays one.</summary>
    public static EdgeJson Writing { get; } = new(new JsonSerializerOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}
