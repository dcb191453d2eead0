using System.Buffers.Binary;
using System.Text.Json;
using Gateway.SampleProvider.Asking;
using Gateway.SampleProvider.Delivery;
using Gateway.SampleProvider.Scripts;

namespace Gateway.SampleProvider.OpenAi;

/// <summary><c>POST /v1/audio/speech</c>: a hum as WAV, longer for a longer text, whatever format is asked for.</summary>
internal sealed class Speech() : JsonSurface("/v1/audio/speech", OpenAiDialect.Instance)
{
    private const int SamplesPerSecond = 8_000;
    private const int SamplesPerCharacter = 400;
    private const int CharactersMax = 4_096;

    protected override PreparedReply Prepare(ChatAsk ask, JsonElement root)
    {
        var text = root.TryGetProperty("input", out var input) && input.ValueKind == JsonValueKind.String ? input.GetString()! : "";
        var fault = text.Length == 0 ? new Fault(400, "Missing required parameter: 'input'.", "input", "missing_required_parameter")
            : text.Length > CharactersMax ? new Fault(400, $"String should have at most {CharactersMax} characters.", "input", "string_above_max_length")
            : !root.TryGetProperty("voice", out _) ? new Fault(400, "Missing required parameter: 'voice'.", "voice", "missing_required_parameter")
            : null;
        return fault is null ? new FrameWriter().Raw(Wave(text.Length * SamplesPerCharacter)).Bytes("audio/wav", ask.Model, ask.Script)
            : Dialect.Refuse(fault, ask.Model, Script.None);
    }

    /// <summary>8 bits, one channel.</summary>
    private static byte[] Wave(int samples)
    {
        var wave = new byte[44 + samples];
        "RIFF"u8.CopyTo(wave);
        BinaryPrimitives.WriteInt32LittleEndian(wave.AsSpan(4), 36 + samples);
        "WAVEfmt "u8.CopyTo(wave.AsSpan(8));
        BinaryPrimitives.WriteInt32LittleEndian(wave.AsSpan(16), 16);
        BinaryPrimitives.WriteInt16LittleEndian(wave.AsSpan(20), 1);
        BinaryPrimitives.WriteInt16LittleEndian(wave.AsSpan(22), 1);
        BinaryPrimitives.WriteInt32LittleEndian(wave.AsSpan(24), SamplesPerSecond);
        BinaryPrimitives.WriteInt32LittleEndian(wave.AsSpan(28), SamplesPerSecond);
        BinaryPrimitives.WriteInt16LittleEndian(wave.AsSpan(32), 1);
        BinaryPrimitives.WriteInt16LittleEndian(wave.AsSpan(34), 8);
        "data"u8.CopyTo(wave.AsSpan(36));
        BinaryPrimitives.WriteInt32LittleEndian(wave.AsSpan(40), samples);
        for (var i = 0; i < samples; i++)
        {
            wave[44 + i] = (byte)(128 + (20 * Math.Sin(i * 2 * Math.PI * 120 / SamplesPerSecond)));
        }

        return wave;
    }
}
