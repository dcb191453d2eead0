using System.Text;
using System.Text.Json;
using Gateway.Edge.Flow;
using Gateway.Edge.Providers;

namespace Gateway.Edge.Files;

/// <summary>A place in a request's body where a file of the gateway's is named.</summary>
/// <param name="Id">The gateway's id.</param>
/// <param name="Start">Where its value begins, with its quote.</param>
/// <param name="End">Where it ends (exclusive), with its quote.</param>
internal readonly record struct FilePlace(string Id, int Start, int End);

/// <summary>
/// Finds where a body names files of the gateway's, in OpenAI's words: <c>file_id</c> wherever it stands in <c>messages</c>, <c>input</c>,
/// <c>tools</c> and <c>prompt</c>, and <c>file_ids</c>. Format: OpenAI's published API description, "Chat" and "Responses".
/// </summary>
internal static class FilePlaces
{
    private static readonly byte[] Mark = Encoding.UTF8.GetBytes($"\"{FileRegistry.IdPrefix}");

    /// <summary>Whether a body may name one: a search for the beginning of an id, which is all that bodies without one are asked.</summary>
    public static bool MayBeIn(ReadOnlySpan<byte> body) => body.IndexOf(Mark) >= 0;

    /// <summary>The places, in their order. The same id in a text, in metadata or in a tool's arguments is none.</summary>
    /// <param name="body">Known to be a JSON object.</param>
    public static List<FilePlace> Of(ReadOnlySpan<byte> body)
    {
        var places = new List<FilePlace>();
        var json = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = RequestHead.DepthMax });
        var isFile = false;
        while (json.Read())
        {
            switch (json.TokenType)
            {
                case JsonTokenType.PropertyName when json.CurrentDepth == 1 && !HoldsFiles(ref json):
                    json.Skip();
                    break;
                case JsonTokenType.PropertyName:
                    isFile = json.CanBeCompared() && (json.ValueTextEquals("file_id"u8) || json.ValueTextEquals("file_ids"u8));
                    break;
                case JsonTokenType.StartArray:
                    break;
                case JsonTokenType.String when isFile:
                    if (FileRegistry.IsId(json.ValueSpan))
                    {
                        places.Add(new FilePlace(Encoding.ASCII.GetString(json.ValueSpan), (int)json.TokenStartIndex, (int)json.BytesConsumed));
                    }

                    break;
                default:
                    isFile = false;
                    break;
            }
        }

        return places;
    }

    private static bool HoldsFiles(ref Utf8JsonReader name) =>
        name.ValueTextEquals("messages"u8) || name.ValueTextEquals("input"u8) || name.ValueTextEquals("tools"u8) || name.ValueTextEquals("prompt"u8);
}
