using System.Text.Json;
using Gateway.Edge.Flow;
using Gateway.Edge.Providers;

namespace Gateway.Edge.GeminiApi;

/// <summary>The model's name where it stands in a body: Google wants it there once more in each of several requests, and the same as in the address.</summary>
internal static class GeminiNames
{
    private const string Prefix = "models/";

    /// <summary>A model's name as Google writes it.</summary>
    public static string Of(string model) => Prefix + model;

    /// <summary>A model's name without what Google puts before it.</summary>
    public static string Bare(string name) => name.StartsWith(Prefix, StringComparison.Ordinal) ? name[Prefix.Length..] : name;

    /// <summary>The changes of a body that passes: the provider's name of the model for the gateway's, and without what is the gateway's own.</summary>
    /// <param name="body">The caller's body.</param>
    /// <param name="head">What was read of it.</param>
    /// <param name="model">The provider's name.</param>
    public static List<Splice> Splices(ReadOnlySpan<byte> body, in RequestHead head, string model)
    {
        var splices = Splice.OfGateway(body, head);
        var name = JsonSerializer.SerializeToUtf8Bytes(Of(model), EdgeJson.Default.String);
        var json = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = RequestHead.DepthMax });
        var depth = 0;
        while (json.Read())
        {
            if (json.TokenType != JsonTokenType.PropertyName || !json.CanBeCompared())
            {
                continue;
            }

            if (json.CurrentDepth == 1)
            {
                depth = json.ValueTextEquals("requests"u8) ? 3 : json.ValueTextEquals("generateContentRequest"u8) || json.ValueTextEquals("generate_content_request"u8) ? 2 : 0;
            }
            else if (json.CurrentDepth == depth && json.ValueTextEquals("model"u8))
            {
                json.Read();
                var start = (int)json.TokenStartIndex;
                json.Skip();
                splices.Add(new Splice(start, (int)json.BytesConsumed, name));
            }
        }

        return Splice.InOrder(splices);
    }
}
