using System.Buffers.Binary;
using System.Globalization;
using Gateway.ServiceDefaults;

namespace Gateway.Metering.Reports;

/// <summary>What a report is asked for, in LiteLLM's parameters. Read by <see cref="Read"/>, which names the parameter that is wrong.</summary>
internal sealed record ReportFilter
{
    public const int PageSizeMax = 1_000;

    /// <summary>Rows that may be leafed over. Further than this a database reads and throws away; the export gives all in one go.</summary>
    public const int RowsMax = 100_000;

    private static readonly string[] s_times =
        ["yyyy-MM-dd HH:mm:ss", "yyyy-MM-ddTHH:mm:ss", "yyyy-MM-dd HH:mm:ss.FFFFFF", "yyyy-MM-ddTHH:mm:ss.FFFFFF", "yyyy-MM-ddTHH:mm:ssK", "yyyy-MM-ddTHH:mm:ss.FFFFFFFK"];

    /// <summary>A key's id.</summary>
    public string? KeyId { get; init; }

    public string? UserId { get; init; }

    public string? TeamId { get; init; }

    public string? OrganizationId { get; init; }

    public string? EndUser { get; init; }

    public string? Model { get; init; }

    public string? RequestId { get; init; }

    /// <summary>True for requests that succeeded, false for the others, null for all.</summary>
    public bool? Succeeded { get; init; }

    /// <summary>The first instant; null for the beginning.</summary>
    public DateTime? From { get; init; }

    /// <summary>The first instant after the last; null for now.</summary>
    public DateTime? Until { get; init; }

    public int Page { get; init; } = 1;

    public int PageSize { get; init; } = 100;

    /// <summary>Whether whole days are asked for, by things that the roll-ups know.</summary>
    public bool FitsRollups => Succeeded is null && CountFitsRollups;

    /// <summary>Whether the roll-ups know the number of rows, though not what those that failed cost.</summary>
    public bool CountFitsRollups =>
        RequestId is null && EndUser is null
        && (From is null || From.Value.TimeOfDay == TimeSpan.Zero) && (Until is null || Until.Value.TimeOfDay == TimeSpan.Zero);

    public DateOnly? FirstDay => From is { } from ? DateOnly.FromDateTime(from) : null;

    /// <summary>The last day that is contained.</summary>
    public DateOnly? LastDay => Until is { } until ? DateOnly.FromDateTime(until.AddTicks(-1)) : null;

    /// <summary>The conditions on <c>usage_records</c>.</summary>
    public Where OnRecords(Visibility visibility)
    {
        var where = Owners(visibility);
        if (From is { } from)
        {
            where.And("started_at >= ?", from);
        }

        if (Until is { } until)
        {
            where.And("started_at < ?", until);
        }

        if (EndUser is { } endUser)
        {
            where.AndName("end_user_no", endUser);
        }

        if (Model is { } model)
        {
            where.AndName("model_no", model);
        }

        return Succeeded switch
        {
            true => where.And("outcome = 0 and status < 400"),
            false => where.And("(outcome <> 0 or status >= 400)"),
            null => where,
        };
    }

    /// <summary>The conditions on <c>usage_daily</c>.</summary>
    public Where OnDaily(Visibility visibility)
    {
        var where = OnDays(visibility);
        return Model is { } model ? where.AndName("model_no", model) : where;
    }

    /// <summary>The conditions on the roll-ups that know no models: tags and end users.</summary>
    public Where OnDays(Visibility visibility)
    {
        var where = Owners(visibility);
        if (FirstDay is { } first)
        {
            where.And("day >= ?", first);
        }

        return LastDay is { } last ? where.And("day <= ?", last) : where;
    }

    /// <summary>
    /// The few seconds in which a request can have begun, because its id (UUID version 7) starts with the time: with them one day's index is
    /// read instead of all. Null for an id of another kind.
    /// </summary>
    public static (DateTime From, DateTime Until)? TimeOf(Guid requestId)
    {
        if (requestId.Version != 7)
        {
            return null;
        }

        Span<byte> bytes = stackalloc byte[16];
        requestId.TryWriteBytes(bytes, bigEndian: true, out _);
        var made = DateTime.UnixEpoch.AddMilliseconds(BinaryPrimitives.ReadInt64BigEndian(bytes) >>> 16);
        return (made.AddSeconds(-5), made.AddSeconds(5));
    }

    /// <summary>Reads the query; the key is still as the caller gave it. A wrong parameter is a refusal that names it.</summary>
    public static (ReportFilter Filter, IResult? Refusal) Read(IQueryCollection query)
    {
        string? Text(string name) => query[name] is [{ Length: > 0 } text] ? text : null;

        IResult? refusal = null;
        void Refuse(string parameter, string message) => refusal ??= Problems.Result(422, "invalid_request", message, parameter);

        DateTime? Time(string name, bool end)
        {
            if (Text(name) is not { } text)
            {
                return null;
            }

            // A query string's + is a space: 00:00:00+00:00 arrives as 00:00:00 00:00.
            if (DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) && day.Year is >= 1970 and < 9999)
            {
                return day.AddDays(end ? 1 : 0).ToDateTime(TimeOnly.MinValue, DateTimeKind.Utc);
            }

            if (DateTime.TryParseExact(
                    text, s_times, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time)
                && time.Year is >= 1970 and < 9999)
            {
                // PostgreSQL's resolution is a microsecond: one more makes the last instant part of the range.
                return end ? time.AddMicroseconds(1) : time;
            }

            Refuse(name, $"{name} must be a day (2026-11-24) or a time in UTC (2026-11-24 18:30:00).");
            return null;
        }

        int Number(string name, int standard, int max)
        {
            if (Text(name) is not { } text)
            {
                return standard;
            }

            if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= 1 && number <= max)
            {
                return number;
            }

            Refuse(name, $"{name} must be a whole number from 1 to {max}.");
            return standard;
        }

        var filter = new ReportFilter
        {
            KeyId = Text("api_key"),
            UserId = Text("user_id"),
            TeamId = Text("team_id"),
            OrganizationId = Text("organization_id"),
            EndUser = Text("end_user"),
            Model = Text("model_group") ?? Text("model"),
            RequestId = Text("request_id"),
            Succeeded = Text("status") switch
            {
                null => null,
                "success" => true,
                "failure" => false,
                _ => Refused("status", "status must be success or failure."),
            },
            From = Time("start_date", end: false),
            Until = Time("end_date", end: true),
            Page = Number("page", 1, RowsMax),
            PageSize = Number("page_size", 100, PageSizeMax),
        };
        if (filter.From >= filter.Until)
        {
            Refuse("end_date", "end_date must not be before start_date.");
        }

        if ((long)filter.Page * filter.PageSize > RowsMax)
        {
            Refuse("page", $"Only the first {RowsMax} rows can be leafed through. Narrow the dates, or take everything from /usage/export.");
        }

        return (filter, refusal);

        bool? Refused(string parameter, string message)
        {
            Refuse(parameter, message);
            return null;
        }
    }

    private Where Owners(Visibility visibility)
    {
        var where = visibility.Restrict(new Where());
        foreach (var (column, owner) in (ReadOnlySpan<(string, string?)>)[
            ("key_no", KeyId), ("user_no", UserId), ("team_no", TeamId), ("organization_no", OrganizationId)])
        {
            if (owner is not null)
            {
                where.AndName(column, owner);
            }
        }

        return where;
    }
}
