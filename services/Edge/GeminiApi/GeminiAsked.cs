using System.Text.Json;
using Gateway.Edge.Chat;
using Gateway.Edge.Providers;

namespace Gateway.Edge.GeminiApi;

/// <summary>
/// Says Gemini's request in OpenAI's words: contents (<see cref="GeminiTurns"/>), what stands in <c>generationConfig</c>
/// (<see cref="GeminiGeneration"/>), tools. Fields may stand in either spelling.
/// </summary>
internal sealed class GeminiAsked(JsonElement request, bool streams, SurfaceTarget target, DroppedFields dropped, Utf8JsonWriter json)
{
    /// <summary>What is Google's own and advises at most.</summary>
    private static readonly HashSet<string> OfGoogle = GeminiFields.Both("safetySettings", "labels", "serviceTier", "store");

    private static readonly HashSet<string> Known =
    [
        .. GeminiFields.Both("contents", "systemInstruction", "tools", "toolConfig", "generationConfig", "cachedContent", "model", "user", "metadata", "disableFallbacks"), .. OfGoogle,
    ];

    /// <summary>Writes the request.</summary>
    /// <exception cref="UntranslatableRequestException">It cannot be said.</exception>
    public void Write()
    {
        dropped.AddUnknown(request, Known);
        foreach (var field in request.Fields().Where(static field => OfGoogle.Contains(field.Name) && field.Value.Given()))
        {
            dropped.AddAdvice(field.Name);
        }

        if (request.Named("cachedContent").Given())
        {
            throw new UntranslatableRequestException("A cached content lies at Google, and this model is not Google's: send its contents.", "cachedContent");
        }

        json.WriteStartObject();
        json.WriteString("model"u8, target.Model);
        json.WriteBoolean("stream"u8, streams);
        target.WriteLabels(json, request, dropped);
        new GeminiGeneration(request.Named("generationConfig"), target, dropped, json).Write();
        new GeminiTurns(target, dropped, json).Write(request);
        WriteTools(request.Named("toolConfig"));
        json.WriteEndObject();
    }

    private void WriteTools(JsonElement config)
    {
        var functions = Functions();
        var calling = config.Named("functionCallingConfig");
        foreach (var field in config.Fields().Where(static field => field.Value.Given() && GeminiFields.Camel(field.Name) != "functionCallingConfig"))
        {
            dropped.AddAdvice("toolConfig." + field.Name);
        }

        foreach (var field in calling.Fields().Where(static field => field.Value.Given() && GeminiFields.Camel(field.Name) is not ("mode" or "allowedFunctionNames")))
        {
            dropped.AddAdvice("toolConfig.functionCallingConfig." + field.Name);
        }

        // The tools that may not be called are not offered: every provider understands that.
        var allowed = calling.Named("allowedFunctionNames").Items().Select(static name => name.Text()).ToHashSet(StringComparer.Ordinal);
        functions.RemoveAll(function => allowed.Count > 0 && !allowed.Contains(function.Field("name"u8).Text()));
        if (functions.Count == 0)
        {
            return;
        }

        json.WriteStartArray("tools"u8);
        foreach (var function in functions)
        {
            WriteFunction(function);
        }

        json.WriteEndArray();
        switch (calling.Field("mode"u8).Text()?.ToUpperInvariant())
        {
            case "ANY":
                json.WriteString("tool_choice"u8, "required"u8);
                break;
            case "NONE":
                json.WriteString("tool_choice"u8, "none"u8);
                break;
        }
    }

    /// <summary>The functions of a request.</summary>
    public static IEnumerable<JsonElement> FunctionsOf(JsonElement request) =>
        request.Field("tools"u8).Items().SelectMany(static tool => tool.Named("functionDeclarations").Items());

    private List<JsonElement> Functions()
    {
        foreach (var field in request.Field("tools"u8).Items().SelectMany(static tool => tool.Fields()).Where(static field => field.Value.Given()))
        {
            if (GeminiFields.Camel(field.Name) != "functionDeclarations")
            {
                // One that Google runs itself, such as its search.
                dropped.Add("tools." + field.Name);
            }
        }

        return [.. FunctionsOf(request)];
    }

    private void WriteFunction(JsonElement function)
    {
        var schema = function.Named("parametersJsonSchema");
        var parameters = function.Field("parameters"u8);
        json.WriteStartObject();
        json.WriteString("type"u8, "function"u8);
        json.WriteStartObject("function"u8);
        json.WriteString("name"u8, ToolNames.Fit(function.Field("name"u8).Text()) ?? throw new UntranslatableRequestException("Each function needs a name.", "tools.functionDeclarations"));
        json.WriteFieldAs(function, "description", "description");
        if (schema.ValueKind == JsonValueKind.Object)
        {
            json.WriteCopy("parameters"u8, schema);
        }
        else if (parameters.ValueKind == JsonValueKind.Object)
        {
            json.WritePropertyName("parameters"u8);
            GeminiSchema.Write(json, parameters);
        }

        json.WriteEndObject();
        json.WriteEndObject();
        foreach (var field in function.Fields().Where(static field => field.Value.Given() && GeminiFields.Camel(field.Name) is not ("name" or "description" or "parameters" or "parametersJsonSchema")))
        {
            dropped.AddAdvice("tools.functionDeclarations." + field.Name);
        }
    }
}
