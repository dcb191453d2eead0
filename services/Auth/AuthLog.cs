namespace Gateway.Auth;

/// <summary>What Auth says in its log: ids and numbers, never a key.</summary>
internal static partial class AuthLog
{
    [LoggerMessage(EventId = 3001, Level = LogLevel.Information, Message = "Access is ready: {Users} users and {Keys} keys of config.yaml are in force, {Changed} of them changed")]
    public static partial void AccessReady(this ILogger logger, int users, int keys, int changed);

    [LoggerMessage(EventId = 3002, Level = LogLevel.Warning, Message = "The database does not answer at the start ({Error}); trying again")]
    public static partial void StartWaitsForDatabase(this ILogger logger, string error);

    [LoggerMessage(EventId = 3003, Level = LogLevel.Warning, Message = "User {UserId} is no longer declared in config.yaml: it and its declared keys are disabled")]
    public static partial void UserDisabled(this ILogger logger, string userId);

    [LoggerMessage(EventId = 3004, Level = LogLevel.Warning, Message = "The master key has less than {Least} characters and can be guessed; outside of Development it would be refused")]
    public static partial void MasterKeyIsWeak(this ILogger logger, int least);

    [LoggerMessage(EventId = 3005, Level = LogLevel.Warning, Message = "There is no master key: nobody can call the admin API. Set general_settings.master_key or GATEWAY__MASTERKEY")]
    public static partial void NoMasterKey(this ILogger logger);

    [LoggerMessage(EventId = 3006, Level = LogLevel.Warning, Message = "{Keys} keys are hashed with pepper {PepperId}, which Gateway:KeyPepper does not name: they are unknown until it does again")]
    public static partial void PepperMissing(this ILogger logger, long keys, string pepperId);

    [LoggerMessage(EventId = 3007, Level = LogLevel.Information, Message = "{Keys} keys are still hashed with the older pepper {PepperId}; each moves when it is used. Keep the pepper until none is left")]
    public static partial void PepperInUse(this ILogger logger, long keys, string pepperId);

    [LoggerMessage(EventId = 3008, Level = LogLevel.Error, Message = "config.yaml was not put in force: {Problem}")]
    public static partial void ConfigurationRefused(this ILogger logger, string problem);

    [LoggerMessage(EventId = 3102, Level = LogLevel.Warning, Message = "Key {KeyId} was not hashed anew ({Error}); it will be the next time that it is used")]
    public static partial void KeyNotHashedAnew(this ILogger logger, string keyId, string error);

    [LoggerMessage(EventId = 3103, Level = LogLevel.Warning, Message = "The database did not answer a request ({Error}); answered 503")]
    public static partial void DatabaseNotThere(this ILogger logger, string error);

    [LoggerMessage(EventId = 3104, Level = LogLevel.Warning, Message = "Ledger did not say what is booked ({Error}); answered without")]
    public static partial void SpendNotKnown(this ILogger logger, string error);
}
