using System.Text.Json;
using Gateway.SampleProvider.Asking;
using Gateway.SampleProvider.Scripts;

namespace Gateway.SampleProvider.Delivery;

/// <summary>A route that is no chat: the chat's reader knows the model, its script and what is no JSON; the other fields are the route's own.</summary>
internal abstract class JsonSurface(string path, Dialect dialect) : Surface(path, dialect)
{
    public sealed override PreparedReply Prepare(ReadOnlySpan<byte> body, Script script)
    {
        var ask = ChatAskReader.Read(body, script);
        if (ask.Fault is not null)
        {
            return Dialect.Refuse(ask.Fault, ask.Model, Script.None);
        }

        var reader = new Utf8JsonReader(body);
        return Prepare(ask, JsonElement.ParseValue(ref reader));
    }

    /// <summary>The reply to a body that is JSON.</summary>
    protected abstract PreparedReply Prepare(ChatAsk ask, JsonElement root);
}
