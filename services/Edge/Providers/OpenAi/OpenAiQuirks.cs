using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Gateway.Configuration;
using Gateway.Edge.Flow;

namespace Gateway.Edge.Providers.OpenAi;

/// <summary>A request in OpenAI's chat for a server that does not take all of it. What it takes stays as it came, byte for byte.</summary>
internal static class OpenAiQuirks
{
    /// <summary>Writes the request as the server takes it.</summary>
    /// <param name="request">The request.</param>
    /// <param name="quirks">What the server does not take.</param>
    /// <param name="output">Takes it.</param>
    /// <param name="dropped">Takes what is left out.</param>
    /// <exception cref="UntranslatableRequestException">It has what the server refuses, and nothing may be left out.</exception>
    public static void Write(ReadOnlyMemory<byte> request, ProviderQuirks quirks, IBufferWriter<byte> output, DroppedFields dropped)
    {
        using var document = RequestHead.Parse(request);
        var root = document.RootElement;
        if (!Concerns(quirks, root))
        {
            output.Write(request.Span);
            return;
        }

        var members = new Members(output);
        foreach (var field in root.EnumerateObject())
        {
            var name = JsonMarshal.GetRawUtf8PropertyName(field);
            if (IsRefused(quirks, "", name))
            {
                dropped.AddGiven(field, isAdvice: false);
            }
            else if (IsStreamOptions(quirks, name))
            {
                // They ask for the usage, which the gateway tells in any case.
            }
            else if (IsNewBound(quirks, name))
            {
                if (!root.Field("max_tokens"u8).Given())
                {
                    members.Write("max_tokens"u8, field.Value.Raw());
                }
            }
            else if (name.SequenceEqual("messages"u8) && field.Value.ValueKind == JsonValueKind.Array)
            {
                members.Write(name, "["u8);
                WriteMessages(quirks, field.Value, output, dropped);
                output.Write("]"u8);
            }
            else
            {
                members.Write(name, field.Value.Raw());
            }
        }

        output.Write("}"u8);
    }

    private static bool Concerns(ProviderQuirks quirks, JsonElement root)
    {
        foreach (var field in root.EnumerateObject())
        {
            var name = JsonMarshal.GetRawUtf8PropertyName(field);
            if (IsRefused(quirks, "", name) || IsStreamOptions(quirks, name) || IsNewBound(quirks, name))
            {
                return true;
            }
        }

        return root.Field("messages"u8).Items().Any(message => IsDevelopers(quirks, message) || HasRefused(quirks, message));
    }

    private static void WriteMessages(ProviderQuirks quirks, JsonElement messages, IBufferWriter<byte> output, DroppedFields dropped)
    {
        var first = true;
        foreach (var message in messages.EnumerateArray())
        {
            output.Write(first ? default : ","u8);
            first = false;
            var isDevelopers = IsDevelopers(quirks, message);
            if (!isDevelopers && !HasRefused(quirks, message))
            {
                output.Write(message.Raw());
                continue;
            }

            var members = new Members(output);
            foreach (var field in message.EnumerateObject())
            {
                var name = JsonMarshal.GetRawUtf8PropertyName(field);
                if (IsRefused(quirks, "messages.", name))
                {
                    dropped.AddGiven(field, isAdvice: false, "messages.");
                }
                else
                {
                    members.Write(name, isDevelopers && name.SequenceEqual("role"u8) ? "\"system\""u8 : field.Value.Raw());
                }
            }

            output.Write("}"u8);
        }
    }

    private static bool IsStreamOptions(ProviderQuirks quirks, ReadOnlySpan<byte> name) => quirks.NoStreamOptions && name.SequenceEqual("stream_options"u8);

    private static bool IsNewBound(ProviderQuirks quirks, ReadOnlySpan<byte> name) => quirks.OnlyMaxTokens && name.SequenceEqual("max_completion_tokens"u8);

    private static bool IsDevelopers(ProviderQuirks quirks, JsonElement message) => quirks.NoDeveloper && message.Field("role"u8).Is("developer"u8);

    private static bool HasRefused(ProviderQuirks quirks, JsonElement message)
    {
        foreach (var field in message.Fields())
        {
            if (IsRefused(quirks, "messages.", JsonMarshal.GetRawUtf8PropertyName(field)))
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsRefused(ProviderQuirks quirks, string within, ReadOnlySpan<byte> name)
    {
        foreach (var refused in quirks.Refuses)
        {
            if (refused.Length == within.Length + name.Length && refused.StartsWith(within, StringComparison.Ordinal) && Ascii.Equals(name, refused.AsSpan(within.Length)))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The members of an object, one after the other.</summary>
    private ref struct Members(IBufferWriter<byte> output)
    {
        private bool begun;

        public void Write(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
        {
            output.Write(begun ? ",\""u8 : "{\""u8);
            begun = true;
            output.Write(name);
            output.Write("\":"u8);
            output.Write(value);
        }
    }
}
