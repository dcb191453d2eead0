using System.Globalization;
using Gateway.SampleProvider.Answers;
using Gateway.SampleProvider.Asking;
using Gateway.SampleProvider.Delivery;
using Gateway.SampleProvider.Scripts;

namespace Gateway.SampleProvider.OpenAi;

/// <summary>
/// <c>POST /v1/audio/transcriptions</c> and <c>/translations</c>: what it hears is made of the file's bytes, a second for each 8,000 of them. A
/// <c>gpt</c> model reports tokens, whisper the seconds.
/// </summary>
internal sealed class Transcriptions(string path) : Surface(path, OpenAiDialect.Instance)
{
    private const int BytesPerSecond = 8_000;
    private const int TokensPerSecond = 10;

    public override PreparedReply Prepare(ReadOnlySpan<byte> body, Script script)
    {
        var form = FormReader.Read(body);
        var model = ScriptReader.FromModel(form.GetValueOrDefault("model")?.Text ?? "", script, out var merged, out var problem);
        var fault = problem is not null ? new Fault(400, problem, "model", "invalid_sample_script")
            : model.Length == 0 ? new Fault(400, "you must provide a model parameter")
            : !form.ContainsKey("file") ? new Fault(400, "Missing required parameter: 'file'.", "file", "missing_required_parameter")
            : null;
        if (fault is not null)
        {
            return Dialect.Refuse(fault, model, Script.None);
        }

        var file = form["file"].Content;
        var seconds = Math.Max(1, file.Length / BytesPerSecond);
        var heard = Answers.Answers.Text(model, Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(file)), 0, 12, merged).Text;
        var asked = form.GetValueOrDefault("response_format")?.Text ?? "json";
        return asked switch
        {
            "text" => new FrameWriter().Document(heard + "\n").Bytes("text/plain; charset=utf-8", model, merged),
            "srt" => new FrameWriter().Document($"1\n00:00:00,000 --> {Time(seconds)},000\n{heard}\n\n").Bytes("text/plain; charset=utf-8", model, merged),
            "vtt" => new FrameWriter().Document($"WEBVTT\n\n00:00:00.000 --> {Time(seconds)}.000\n{heard}\n\n").Bytes("text/plain; charset=utf-8", model, merged),
            "verbose_json" => Usage(
                new FrameWriter().Raw("{\"task\":\"transcribe\",\"language\":\"english\",\"duration\":"u8).Number(seconds).Raw(",\"text\":"u8).Text(heard).Raw(",\"segments\":[]"u8),
                model, seconds, heard, merged),
            _ => Usage(new FrameWriter().Raw("{\"text\":"u8).Text(heard), model, seconds, heard, merged),
        };
    }

    private static PreparedReply Usage(FrameWriter writer, string model, int seconds, string heard, Script script)
    {
        if (script.Usage == UsageReport.Absent)
        {
            return writer.Raw("}"u8).Json(model, script);
        }

        if (!model.StartsWith("gpt", StringComparison.Ordinal))
        {
            return writer.Raw(",\"usage\":{\"type\":\"duration\",\"seconds\":"u8).Number(seconds).Raw("}}"u8).Json(model, script);
        }

        var input = seconds * TokensPerSecond;
        var output = Tokens.Count(heard);
        return writer.Raw(",\"usage\":{\"type\":\"tokens\",\"total_tokens\":"u8).Number(input + output).Raw(",\"input_tokens\":"u8).Number(input)
            .Raw(",\"input_token_details\":{\"text_tokens\":0,\"audio_tokens\":"u8).Number(input).Raw("},\"output_tokens\":"u8).Number(output).Raw("}}"u8).Json(model, script);
    }

    private static string Time(int seconds) => TimeSpan.FromSeconds(seconds).ToString("hh\\:mm\\:ss", CultureInfo.InvariantCulture);
}
