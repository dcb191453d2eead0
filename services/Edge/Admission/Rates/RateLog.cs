namespace Gateway.Edge.Admission.Rates;

internal static partial class RateLog
{
    [LoggerMessage(
        EventId = 1401,
        Level = LogLevel.Warning,
        Message = "Redis refused scripts ({Reason}); rate limits hold by plain transactions, with two round trips more. Allow EVALSHA and SCRIPT LOAD to this user and restart")]
    public static partial void RateScriptsForbidden(this ILogger logger, string reason);

    [LoggerMessage(EventId = 1402, Level = LogLevel.Error, Message = "A contact with Redis for the limit {Owner} {Kind} failed unexpectedly")]
    public static partial void RateContactFailed(this ILogger logger, Exception error, string owner, string kind);

    [LoggerMessage(EventId = 1404, Level = LogLevel.Error, Message = "A round of the rate limits failed unexpectedly; it goes on with the next one")]
    public static partial void RateTickFailed(this ILogger logger, Exception error);

    [LoggerMessage(EventId = 1403, Level = LogLevel.Warning, Message = "The limit {Owner} {Kind} was lost in Redis; what this edge used of it was told again")]
    public static partial void RateWindowLost(this ILogger logger, string owner, string kind);
}
