using System.Text.Json.Serialization;
using Gateway.Contracts;

namespace Gateway.Metering.Ingest;

/// <summary>Failed attempts as they are stored and shown: <c>[{"deployment_id":"…","failure":"timeout"}]</c>.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(FailedAttempt[]))]
internal sealed partial class AttemptsJson : JsonSerializerContext;
