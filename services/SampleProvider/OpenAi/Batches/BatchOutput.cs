using System.Text.Json;
using Gateway.SampleProvider.Delivery;
using Gateway.SampleProvider.OpenAi.Files;
using Gateway.SampleProvider.Scripts;

namespace Gateway.SampleProvider.OpenAi.Batches;

/// <summary>What a batch leaves behind: one line for each request, the answered ones in one file and all others in another.</summary>
internal sealed class BatchOutput
{
    private readonly FrameWriter answered = new();
    private readonly FrameWriter failed = new();
    private long input, cached, output, reasoning;

    public int Completed { get; private set; }

    public int Failed { get; private set; }

    private int Unfinished { get; set; }

    public BatchUsage Usage => new(input, new(cached), output, new(reasoning), input + output);

    /// <summary>A request that its route answered, or refused: then the line is an error that has a response.</summary>
    public void Answer(BatchLine line, PreparedReply reply)
    {
        var id = Delivery.Delivery.NextId();
        var body = Delivery.Delivery.Stamped(reply, id);
        var writer = Head(reply.Status < 400 ? answered : failed, line.CustomId).Raw("{\"status_code\":"u8).Number(reply.Status)
            .Raw(",\"request_id\":\"req_"u8).Document(id.ToString("x16", null)).Raw("\",\"body\":"u8).Raw(body);
        writer.Raw("},\"error\":null}\n"u8);
        if (reply.Status >= 400)
        {
            Failed++;
            return;
        }

        Completed++;
        Count(body);
    }

    /// <summary>A request that got no response at all.</summary>
    public void Fail(BatchLine line, string code, string message)
    {
        Error(line, code, message);
        Failed++;
    }

    /// <summary>A request whose turn did not come: no failure of its own, and counted as none.</summary>
    public void LeaveOut(BatchLine line, string code, string message)
    {
        Error(line, code, message);
        Unfinished++;
    }

    /// <summary>Puts the files there; the id is null where there is nothing to say.</summary>
    public (string? OutputFileId, string? ErrorFileId) Store(FileStore files, string batchId, TimeSpan? lifetime)
    {
        string? Keep(FrameWriter lines, int count, string kind) => count == 0
            ? null
            : files.Add($"{batchId}_{kind}.jsonl", "batch_output", lines.Bytes("", "", Script.None).Bytes, lifetime).Object.Id;
        return (Keep(answered, Completed, "output"), Keep(failed, Failed + Unfinished, "error"));
    }

    private void Error(BatchLine line, string code, string message) => Head(failed, line.CustomId)
        .Raw("null,\"error\":{\"code\":"u8).Text(code).Raw(",\"message\":"u8).Text(message).Raw("}}\n"u8);

    private static FrameWriter Head(FrameWriter writer, string customId) => writer
        .Raw("{\"id\":\"batch_req_sAmPlE"u8).Document(Delivery.Delivery.NextId().ToString("x16", null))
        .Raw("\",\"custom_id\":"u8).Text(customId).Raw(",\"response\":"u8);

    /// <summary>Adds what this answer says that it used. Its routes have two names for each count.</summary>
    private void Count(byte[] body)
    {
        if (!JsonElement.Parse(body).TryGetProperty("usage", out var usage) || usage.ValueKind != JsonValueKind.Object)
        {
            return;
        }

        input += Number(usage, "prompt_tokens") + Number(usage, "input_tokens");
        output += Number(usage, "completion_tokens") + Number(usage, "output_tokens");
        cached += Detail(usage, "prompt_tokens_details", "cached_tokens") + Detail(usage, "input_tokens_details", "cached_tokens");
        reasoning += Detail(usage, "completion_tokens_details", "reasoning_tokens") + Detail(usage, "output_tokens_details", "reasoning_tokens");
    }

    private static long Detail(JsonElement usage, string details, string name) => usage.TryGetProperty(details, out var inner) ? Number(inner, name) : 0;

    private static long Number(JsonElement usage, string name) => usage.TryGetProperty(name, out var count) ? count.GetInt64() : 0;
}
