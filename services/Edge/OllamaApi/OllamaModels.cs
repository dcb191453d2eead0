using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Gateway.Edge.Flow;
using Gateway.Edge.Models;
using Gateway.Edge.Providers;
using Gateway.Edge.Routing;

namespace Gateway.Edge.OllamaApi;

/// <summary>
/// What Ollama's clients ask before they chat: which models there are, what one of them can, which version speaks. A model here has no file: its
/// size is 0 and its digest is its name's.
/// </summary>
internal sealed class OllamaModels(ModelAnswers answers)
{
    /// <summary>The version of Ollama whose API this is: clients look whether it is too old for them.</summary>
    private const string Version = "0.13.0";

    private static readonly DateTime Modified = DateTimeOffset.FromUnixTimeSeconds(1_677_610_602).UtcDateTime;

    public Task ListAsync(HttpContext context) => answers.AnswerAsync(context, static (caller, table, _, json) =>
    {
        json.WriteStartObject();
        json.WriteStartArray("models"u8);
        foreach (var name in table.PublicNames.Where(caller.MayCall))
        {
            json.WriteStartObject();
            json.WriteString("name"u8, name);
            json.WriteString("model"u8, name);
            json.WriteString("modified_at"u8, Modified);
            json.WriteNumber("size"u8, 0);
            json.WriteString("digest"u8, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name))));
            WriteDetails(json, table.Find(name)!);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
        return null;
    });

    public Task ShowAsync(HttpContext context) => answers.AnswerAsync(context, static (caller, table, body, json) =>
    {
        // The client's first versions named the model by name.
        if (RequestHead.TryRead(body.Span, out var head, SurfaceProtocol.OllamaChat, needsModel: false) is { } wrong)
        {
            return wrong;
        }

        var name = head.ModelName.Length > 0 ? head.ModelName : NameIn(body);
        if (caller.Find(name, table) is not { Granted: true } grant)
        {
            return new GatewayError(404, "model_not_found", "There is no such model among those that this key may use. GET /api/tags lists them.", "model");
        }

        WriteModel(json, grant.Group);
        return null;
    });

    public static Task TellVersionAsync(HttpContext context)
    {
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync($$"""{"version":"{{Version}}"}""", context.RequestAborted);
    }

    private static string NameIn(ReadOnlyMemory<byte> body)
    {
        using var request = RequestHead.Parse(body);
        return request.RootElement.Field("name"u8).Text() ?? "";
    }

    private static void WriteModel(Utf8JsonWriter json, ModelGroup group)
    {
        var deployment = group.Deployments[0];
        json.WriteStartObject();
        json.WriteString("modelfile"u8, "");
        json.WriteString("parameters"u8, "");
        json.WriteString("template"u8, "");
        json.WriteString("license"u8, "");
        json.WriteString("modified_at"u8, Modified);
        WriteDetails(json, group);
        json.WriteStartObject("model_info"u8);
        json.WriteString("general.architecture"u8, deployment.Provider);
        if ((deployment.Configuration.MaxInputTokens ?? deployment.Price?.ContextWindow) is { } context)
        {
            json.WriteNumber($"{deployment.Provider}.context_length", context);
        }

        json.WriteEndObject();
        json.WriteStartArray("capabilities"u8);
        foreach (var capability in (ReadOnlySpan<string>)(deployment.Embeds ? ["embedding"] : ["completion", "tools"]))
        {
            json.WriteStringValue(capability);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteDetails(Utf8JsonWriter json, ModelGroup group)
    {
        var family = group.Deployments[0].Provider;
        json.WriteStartObject("details"u8);
        json.WriteString("parent_model"u8, "");
        json.WriteString("format"u8, "");
        json.WriteString("family"u8, family);
        json.WriteStartArray("families"u8);
        json.WriteStringValue(family);
        json.WriteEndArray();
        json.WriteString("parameter_size"u8, "");
        json.WriteString("quantization_level"u8, "");
        json.WriteEndObject();
    }
}
