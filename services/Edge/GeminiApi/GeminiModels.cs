using System.Text.Json;
using Gateway.Edge.Models;
using Gateway.Edge.Routing;

namespace Gateway.Edge.GeminiApi;

/// <summary><c>GET /v1beta/models</c> and one of them: the caller's models only, all on one page.</summary>
internal sealed class GeminiModels(ModelAnswers answers)
{
    /// <summary>What the name is called in the route.</summary>
    public const string Model = "model";

    public Task ListAsync(HttpContext context) => answers.AnswerAsync(context, static (caller, table, _, json) =>
    {
        json.WriteStartObject();
        json.WriteStartArray("models"u8);
        foreach (var name in table.PublicNames.Where(caller.MayCall))
        {
            WriteModel(json, name, table.Find(name)!);
        }

        json.WriteEndArray();
        json.WriteEndObject();
        return null;
    });

    public Task FindAsync(HttpContext context)
    {
        var name = GeminiEndpoints.NameIn(context, Model);
        return answers.AnswerAsync(context, (caller, table, _, json) =>
        {
            if (caller.Find(name, table) is not { Granted: true } grant)
            {
                return new GatewayError(404, "model_not_found", "There is no such model among those that this key may use. GET /v1beta/models lists them.", "model");
            }

            WriteModel(json, name, grant.Group);
            return null;
        });
    }

    private static void WriteModel(Utf8JsonWriter json, string name, ModelGroup group)
    {
        var deployment = group.Deployments[0];
        json.WriteStartObject();
        json.WriteString("name"u8, GeminiNames.Of(name));
        json.WriteString("version"u8, ""u8);
        json.WriteString("displayName"u8, name);
        if ((deployment.Configuration.MaxInputTokens ?? deployment.Price?.ContextWindow) is { } context)
        {
            json.WriteNumber("inputTokenLimit"u8, context);
        }

        if (deployment.MaxOutputTokens is { } most)
        {
            json.WriteNumber("outputTokenLimit"u8, most);
        }

        json.WriteStartArray("supportedGenerationMethods"u8);
        foreach (var method in (ReadOnlySpan<string>)(deployment.Embeds ? ["embedContent", "batchEmbedContents"] : ["generateContent", "streamGenerateContent", "countTokens"]))
        {
            json.WriteStringValue(method);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }
}
