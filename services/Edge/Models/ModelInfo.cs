using System.Buffers;
using System.Text.Json;
using Gateway.Edge.Admission;
using Gateway.Edge.Routing;
using Gateway.Pricing;

namespace Gateway.Edge.Models;

/// <summary>
/// <c>GET /v1/model/info</c>, LiteLLM's form: the deployments of the caller's models with provider, limits and prices. Addresses and
/// credentials are nobody's business and not in it.
/// </summary>
internal sealed class ModelInfo(Authentication authentication, RoutingTables tables)
{
    public async Task HandleAsync(HttpContext context)
    {
        var (caller, error) = await authentication.AuthenticateAsync(context.Request);
        if (caller is null)
        {
            await error!.WriteAsync(context);
            return;
        }

        var only = context.Request.Query["litellm_model_id"].ToString();
        var table = tables.Current;
        var body = new ArrayBufferWriter<byte>(4096);
        using (var json = new Utf8JsonWriter(body))
        {
            json.WriteStartObject();
            json.WriteStartArray("data");
            foreach (var name in table.PublicNames.Where(caller.MayCall))
            {
                foreach (var deployment in table.Find(name)!.Deployments.Where(deployment => only.Length == 0 || deployment.Id == only))
                {
                    Write(json, name, deployment);
                }
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        context.Response.ContentType = "application/json";
        await context.Response.Body.WriteAsync(body.WrittenMemory, context.RequestAborted);
    }

    private static void Write(Utf8JsonWriter json, string name, Deployment deployment)
    {
        json.WriteStartObject();
        json.WriteString("model_name", name);
        json.WriteStartObject("litellm_params");
        json.WriteString("model", $"{deployment.Provider}/{deployment.ProviderModel}");
        json.WriteEndObject();
        json.WriteStartObject("model_info");
        json.WriteString("id", deployment.Id);
        json.WriteBoolean("db_model", false);
        json.WriteString("key", deployment.ProviderModel);
        json.WriteString("litellm_provider", deployment.Provider);
        json.WriteString("mode", ModeOf(deployment));
        WriteNumber(json, "max_tokens", deployment.MaxOutputTokens);
        WriteNumber(json, "max_input_tokens", deployment.Configuration.MaxInputTokens ?? deployment.Price?.ContextWindow);
        WriteNumber(json, "max_output_tokens", deployment.MaxOutputTokens);
        WritePrice(json, deployment.Price);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static string ModeOf(Deployment deployment) =>
        deployment.Configuration.Mode != "chat" ? deployment.Configuration.Mode : deployment.Price?.Mode ?? "chat";

    private static void WritePrice(Utf8JsonWriter json, ModelPrice? price)
    {
        if (price is null)
        {
            json.WriteNull("input_cost_per_token");
            json.WriteNull("output_cost_per_token");
            return;
        }

        json.WriteNumber("input_cost_per_token", price.Rates.Input / 1_000_000m);
        json.WriteNumber("output_cost_per_token", price.Rates.Output / 1_000_000m);
        foreach (var (key, amount) in (ReadOnlySpan<(string, decimal)>)
            [("output_cost_per_image", price.PerImage), ("input_cost_per_query", price.PerRequest), ("input_cost_per_second", price.PerSecond), ("input_cost_per_character", price.PerCharacter)])
        {
            if (amount > 0)
            {
                json.WriteNumber(key, amount);
            }
        }
    }

    private static void WriteNumber(Utf8JsonWriter json, string name, int? value)
    {
        if (value is { } number)
        {
            json.WriteNumber(name, number);
        }
        else
        {
            json.WriteNull(name);
        }
    }
}
