using System.Globalization;

namespace Gateway.Edge.Metering;

/// <summary>
/// <c>dotnet Edge.dll spool read FILE|DIR…</c>: the records of segments as lines of JSON, for a person who wants to know what waits on an
/// edge's disk, or what is left of it. What is damaged is said on the error stream, with the place. It changes nothing, and a running edge
/// does not mind.
/// </summary>
internal static class SpoolCommand
{
    private const string Usage = """
        dotnet Edge.dll spool read FILE|DIR...

        Writes every usage record of these spool segments (*.seg; of a folder all below it) as a line of JSON.
        Damage is said on the error stream. Exit code 0: all is whole; 1: something is damaged; 2: there was nothing to read.
        """;

    /// <summary>Whether the program was started for this, and not to serve.</summary>
    public static bool IsAsked(string[] args) => args is ["spool", ..];

    /// <summary>Runs it; the exit code.</summary>
    public static int Run(string[] args, Stream output, TextWriter errors)
    {
        if (args is not ["spool", "read", _, ..])
        {
            errors.WriteLine(Usage);
            return 2;
        }

        var files = args.Skip(2).SelectMany(SegmentsOf).ToList();
        var code = files.Count == 0 ? 2 : 0;
        if (files.Count == 0)
        {
            errors.WriteLine($"There is no segment (*.seg) in {string.Join(", ", args.Skip(2))}.");
        }

        foreach (var file in files)
        {
            try
            {
                code = Math.Max(code, ReadFile(file, output, errors) ? 0 : 1);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                errors.WriteLine($"{file}: cannot be read: {error.Message}");
                code = 2;
            }
        }

        output.Flush();
        return code;
    }

    private static IEnumerable<string> SegmentsOf(string path) =>
        Directory.Exists(path) ? Directory.EnumerateFiles(path, "*.seg", SearchOption.AllDirectories).Order(StringComparer.Ordinal) : [path];

    private static bool ReadFile(string file, Stream output, TextWriter errors)
    {
        // A segment has a bounded size (Gateway:Spool:SegmentBytes). A running edge may append to it meanwhile.
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var bytes = new byte[stream.Length];
        var length = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        ReadOnlySpan<byte> rest = bytes.AsSpan(0, length);
        if (!rest.StartsWith(SpoolSegment.Magic))
        {
            errors.WriteLine($"{file}: is no spool segment: it does not begin with {System.Text.Encoding.ASCII.GetString(SpoolSegment.Magic)}.");
            return false;
        }

        var (records, damaged) = (0, 0);
        rest = rest[SpoolSegment.Magic.Length..];
        while (rest.Length > 0)
        {
            var place = string.Create(CultureInfo.InvariantCulture, $"{file}: record {records + damaged + 1} at byte {length - rest.Length}");
            switch (SpoolSegment.Look(rest, out var payload))
            {
                case SpoolFrame.Whole:
                    output.Write(payload);
                    output.WriteByte((byte)'\n');
                    records++;
                    rest = rest[(SpoolSegment.FrameHeaderBytes + payload.Length)..];
                    break;
                case SpoolFrame.WrongChecksum:
                    // Its length is there, so what follows can be read. The edge itself steps over it, too, and says so in its log (event 1005).
                    errors.WriteLine($"{place}: its checksum is wrong: something in it was changed. It is left out.");
                    damaged++;
                    rest = rest[(SpoolSegment.FrameHeaderBytes + payload.Length)..];
                    break;
                case SpoolFrame.Cut:
                    errors.WriteLine($"{place}: the end is torn: {rest.Length} bytes of a record whose writing did not finish (its request had not been answered to the end).");
                    damaged++;
                    rest = default;
                    break;
                default:
                    errors.WriteLine($"{place}: no record has this length: the last {rest.Length} bytes cannot be read.");
                    damaged++;
                    rest = default;
                    break;
            }
        }

        errors.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{file}: {records} records, {damaged} damaged"));
        return damaged == 0;
    }
}
