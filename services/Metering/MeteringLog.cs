namespace Gateway.Metering;

internal static partial class MeteringLog
{
    [LoggerMessage(EventId = 4001, Level = LogLevel.Information, Message = "The schema of the metering database is up to date")]
    public static partial void SchemaReady(this ILogger logger);

    [LoggerMessage(EventId = 4002, Level = LogLevel.Warning, Message = "The metering database does not answer yet ({Reason}); trying again in {Delay}")]
    public static partial void SchemaWaits(this ILogger logger, string reason, TimeSpan delay);

    [LoggerMessage(EventId = 4003, Level = LogLevel.Warning, Message = "{Records} records of edge {EdgeId} could not be written ({Reason}); trying again in {Delay}, attempt {Attempt}")]
    public static partial void WriteRetried(this ILogger logger, int records, string edgeId, string reason, TimeSpan delay, int attempt);

    [LoggerMessage(EventId = 4004, Level = LogLevel.Error, Message = "A message of {Records} records of edge {EdgeId} was given up ({Reason}) and waits in metering-usage_error: mend the cause and move it back")]
    public static partial void MessagePoisoned(this ILogger logger, int records, string edgeId, string reason);

    [LoggerMessage(EventId = 4005, Level = LogLevel.Information, Message = "Dropped {Count} days of usage records older than {Day}")]
    public static partial void DaysDropped(this ILogger logger, int count, DateOnly day);

    [LoggerMessage(EventId = 4006, Level = LogLevel.Warning, Message = "The partition of {Day} could not be made or dropped now ({Reason}); the next run tries again, records are stored meanwhile")]
    public static partial void PartitionWaits(this ILogger logger, DateOnly day, string reason);

    [LoggerMessage(EventId = 4007, Level = LogLevel.Warning, Message = "A record of edge {EdgeId} was set aside: {Reason}. See rejected_records")]
    public static partial void RecordRejected(this ILogger logger, string edgeId, string reason);

    [LoggerMessage(EventId = 4008, Level = LogLevel.Warning, Message = "Auth did not say which key was asked for ({Reason})")]
    public static partial void KeyLookupFailed(this ILogger logger, string reason);

    [LoggerMessage(EventId = 4009, Level = LogLevel.Warning, Message = "A report failed because the database did not answer ({Reason})")]
    public static partial void ReportFailed(this ILogger logger, string reason);
}
