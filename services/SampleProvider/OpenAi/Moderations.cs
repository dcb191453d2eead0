using System.Text.Json;
using Gateway.SampleProvider.Asking;
using Gateway.SampleProvider.Delivery;
using Gateway.SampleProvider.Scripts;

namespace Gateway.SampleProvider.OpenAi;

/// <summary><c>POST /v1/moderations</c>: a text that says "attack" is flagged, everything else is not.</summary>
internal sealed class Moderations() : JsonSurface("/v1/moderations", OpenAiDialect.Instance)
{
    private const string DefaultModel = "omni-moderation-latest";

    private static readonly string[] Categories =
    [
        "harassment", "harassment/threatening", "sexual", "hate", "hate/threatening", "illicit", "illicit/violent", "self-harm/intent",
        "self-harm/instructions", "self-harm", "sexual/minors", "violence", "violence/graphic",
    ];

    protected override PreparedReply Prepare(ChatAsk ask, JsonElement root)
    {
        var inputs = Texts(root);
        if (inputs.Count == 0)
        {
            return Dialect.Refuse(new Fault(400, "Missing required parameter: 'input'.", "input", "missing_required_parameter"), ask.Model, Script.None);
        }

        var model = ask.Model.Length == 0 ? DefaultModel : ask.Model;
        var writer = new FrameWriter().Raw("{\"id\":\"modr-"u8).Id().Raw("\",\"model\":"u8).Text(model).Raw(",\"results\":["u8);
        for (var i = 0; i < inputs.Count; i++)
        {
            Result(writer.Raw(i == 0 ? ""u8 : ","u8), inputs[i].Contains("attack", StringComparison.OrdinalIgnoreCase));
        }

        return writer.Raw("]}"u8).Json(model, ask.Script);
    }

    private static void Result(FrameWriter writer, bool flagged)
    {
        bool Is(string category) => flagged && category == "violence";
        writer.Raw(flagged ? "{\"flagged\":true,\"categories\":{"u8 : "{\"flagged\":false,\"categories\":{"u8);
        for (var i = 0; i < Categories.Length; i++)
        {
            writer.Raw(i == 0 ? ""u8 : ","u8).Text(Categories[i]).Raw(Is(Categories[i]) ? ":true"u8 : ":false"u8);
        }

        writer.Raw("},\"category_scores\":{"u8);
        for (var i = 0; i < Categories.Length; i++)
        {
            writer.Raw(i == 0 ? ""u8 : ","u8).Text(Categories[i]).Raw(Is(Categories[i]) ? ":0.98"u8 : ":0.0001"u8);
        }

        writer.Raw("},\"category_applied_input_types\":{"u8);
        for (var i = 0; i < Categories.Length; i++)
        {
            writer.Raw(i == 0 ? ""u8 : ","u8).Text(Categories[i]).Raw(":[\"text\"]"u8);
        }

        writer.Raw("}}"u8);
    }

    /// <summary>A text, several texts, or several parts of which some are texts.</summary>
    private static List<string> Texts(JsonElement root)
    {
        if (!root.TryGetProperty("input", out var input))
        {
            return [];
        }

        return input.ValueKind switch
        {
            JsonValueKind.String => [input.GetString()!],
            JsonValueKind.Array => [.. input.EnumerateArray().Select(static item =>
                item.ValueKind == JsonValueKind.Object && item.TryGetProperty("text", out var text) ? text.ToString() : item.ToString())],
            _ => [],
        };
    }
}
