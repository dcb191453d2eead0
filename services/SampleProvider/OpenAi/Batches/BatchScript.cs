using System.Globalization;

namespace Gateway.SampleProvider.OpenAi.Batches;

/// <summary>How a batch misbehaves. It stands in the batch's metadata, which also come through a gateway.</summary>
internal sealed record BatchScript
{
    private const string Prefix = "sample-";

    /// <summary>The statuses in which the batch stays until it is released or cancelled.</summary>
    public string[] Hold { get; init; } = [];

    /// <summary>In progress it is held once so many lines are done.</summary>
    public int HoldAfter { get; init; }

    /// <summary>The code with which the batch fails while it is validated.</summary>
    public string? Fail { get; init; }

    /// <summary>The window is over once so many lines are done.</summary>
    public int? ExpireAfter { get; init; }

    /// <summary>The custom ids of the lines that end without a response.</summary>
    public string[] FailLines { get; init; } = [];

    /// <summary>The custom ids of the lines whose response says nothing of its usage.</summary>
    public string[] UsageAbsent { get; init; } = [];

    /// <summary>Whether the batch says what its lines used together.</summary>
    public bool HasUsage { get; init; } = true;

    /// <summary>Like a request's script: what does not exist is an error, or a test with a misspelt one would pass.</summary>
    public static BatchScript Read(Dictionary<string, string>? metadata, out string? problem)
    {
        problem = null;
        var script = new BatchScript();
        foreach (var (key, value) in metadata ?? [])
        {
            if (key.StartsWith(Prefix, StringComparison.Ordinal))
            {
                script = With(script, key, value, ref problem);
            }
        }

        return script;
    }

    private static BatchScript With(BatchScript script, string key, string value, ref string? problem)
    {
        switch (key)
        {
            case "sample-hold":
                var hold = Names(value);
                if (!hold.All(static name => name is BatchStatus.Validating or BatchStatus.InProgress or BatchStatus.Finalizing or BatchStatus.Cancelling))
                {
                    problem ??= "The script 'sample-hold' is one or several of validating, in_progress, finalizing, cancelling.";
                }

                return script with { Hold = [.. script.Hold, .. hold] };
            case "sample-hold-after":
                return script with { Hold = [.. script.Hold, BatchStatus.InProgress], HoldAfter = Lines(key, value, ref problem) };
            case "sample-expire-after": return script with { ExpireAfter = Lines(key, value, ref problem) };
            case "sample-fail": return script with { Fail = value };
            case "sample-fail-lines": return script with { FailLines = Names(value) };
            case "sample-usage-absent": return script with { UsageAbsent = Names(value) };
            case "sample-usage" when value is "true" or "absent": return script with { HasUsage = value == "true" };
            case "sample-usage":
                problem ??= "The script 'sample-usage' is one of true, absent.";
                return script;
            default:
                problem ??= $"There is no script '{key}' for a batch. There are: sample-hold, sample-hold-after, sample-expire-after, sample-fail, "
                    + "sample-fail-lines, sample-usage-absent, sample-usage.";
                return script;
        }
    }

    private static string[] Names(string value) => value.Split(',', StringSplitOptions.TrimEntries);

    private static int Lines(string key, string value, ref string? problem)
    {
        if (!int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var lines) || lines > BatchInput.LinesMax)
        {
            problem ??= $"The script '{key}' takes a whole number from 0 to {BatchInput.LinesMax}.";
        }

        return lines;
    }
}
