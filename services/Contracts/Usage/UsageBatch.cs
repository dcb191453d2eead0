using System.Text.Json;

namespace Gateway.Contracts;

/// <summary>Reads what <see cref="UsageRecorded.Records"/> holds.</summary>
public static class UsageBatch
{
    /// <summary>The records, in the order in which the edge wrote them.</summary>
    /// <exception cref="JsonException">A line is no record: the batch belongs on the error queue, whole.</exception>
    public static List<UsageRecord> Read(UsageRecorded message)
    {
        var records = new List<UsageRecord>(message.Count);
        var rest = message.Records.AsSpan();
        while (!rest.IsEmpty)
        {
            var end = rest.IndexOf((byte)'\n');
            var line = end < 0 ? rest : rest[..end];
            rest = end < 0 ? default : rest[(end + 1)..];
            if (!line.IsEmpty)
            {
                records.Add(JsonSerializer.Deserialize(line, ContractsJson.Default.UsageRecord)
                    ?? throw new JsonException("A usage record is null."));
            }
        }

        return records;
    }
}
