namespace Gateway.Edge.Credentials;

internal static partial class CredentialLog
{
    [LoggerMessage(EventId = 1501, Level = LogLevel.Information, Message = "The credential {Place} has another value, which new requests use")]
    public static partial void CredentialChanged(this ILogger logger, string place);

    [LoggerMessage(EventId = 1502, Level = LogLevel.Warning, Message = "The credential {Place} cannot be read: {Reason} Its last value is used for {Hours} hours")]
    public static partial void CredentialUnreadable(this ILogger logger, string place, string reason, double hours);

    [LoggerMessage(EventId = 1503, Level = LogLevel.Error, Message = "The credential {Place} was last read at {ReadAt} and is used no longer; what needs it is refused until it can be read")]
    public static partial void CredentialTooOld(this ILogger logger, string place, DateTimeOffset readAt);

    [LoggerMessage(EventId = 1504, Level = LogLevel.Information, Message = "The credential {Place} can be read again")]
    public static partial void CredentialReadable(this ILogger logger, string place);

    [LoggerMessage(EventId = 1505, Level = LogLevel.Error, Message = "Credentials could not be looked at; the next look is at its time")]
    public static partial void CredentialLookFailed(this ILogger logger, Exception error);
}
