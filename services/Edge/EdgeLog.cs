using Gateway.Edge.Flow;

namespace Gateway.Edge;

/// <summary>Everything that the edge logs: ids only, never a prompt, an answer or a key.</summary>
internal sealed partial class EdgeLog(ILogger<EdgeLog> logger)
{
    [LoggerMessage(EventId = 1001, Level = LogLevel.Critical, Message = "The spool could not be written; new requests are refused until it can")]
    public partial void SpoolWriteFailed(Exception error);

    [LoggerMessage(EventId = 1002, Level = LogLevel.Error, Message = "The spool segment {Path} is no spool segment and was left where it is")]
    public partial void SpoolSegmentUnreadable(string path);

    [LoggerMessage(EventId = 1003, Level = LogLevel.Warning, Message = "Usage records could not be sent ({Pending} wait in the spool); trying again")]
    public partial void SpoolPublishFailed(long pending, Exception error);

    [LoggerMessage(EventId = 1004, Level = LogLevel.Warning, Message = "The spool was not drained at the stop: {Pending} records will be sent at the next start")]
    public partial void SpoolDrainFailed(long pending, Exception error);

    [LoggerMessage(EventId = 1005, Level = LogLevel.Error, Message = "The spool had {Bytes} damaged bytes: a record that a crash cut short, or one that the disk changed. What stood behind it was read")]
    public partial void SpoolDamaged(long bytes);

    [LoggerMessage(EventId = 1006, Level = LogLevel.Information, Message = "Ledger was not told that edge {EdgeId} is gone; its leases come back by themselves")]
    public partial void EdgeCloseFailed(string edgeId, Exception error);

    [LoggerMessage(EventId = 1007, Level = LogLevel.Warning, Message = "The spool {Path} was left by a process that is gone: its {Segments} segments are sent from here")]
    public partial void SpoolAdopted(string path, int segments);

    [LoggerMessage(EventId = 1008, Level = LogLevel.Critical, Message = "The spool could not be brought to the disk; new requests are refused until it can")]
    public partial void SpoolFlushFailed(Exception error);

    [LoggerMessage(EventId = 1009, Level = LogLevel.Warning, Message = "The spool {Path} could not be taken over; it is tried again")]
    public partial void SpoolNotAdopted(string path, Exception error);

    [LoggerMessage(EventId = 1101, Level = LogLevel.Warning, Message = "Auth does not answer; keys that are not known here are refused with 503")]
    public partial void AuthUnavailable(Exception error);

    [LoggerMessage(EventId = 1102, Level = LogLevel.Warning, Message = "The stream of access changes broke off; connecting again")]
    public partial void AccessStreamLost(Exception error);

    [LoggerMessage(EventId = 1103, Level = LogLevel.Warning, Message = "Ledger does not say which budgets there are; the last ones known stay in force")]
    public partial void DefinitionsUnavailable(Exception error);

    [LoggerMessage(EventId = 1104, Level = LogLevel.Error, Message = "What Ledger says of budgets cannot be used here; the last ones known stay in force. Give this machine the time zone, or change the budget with /budget/update")]
    public partial void DefinitionsUnusable(Exception error);

    [LoggerMessage(EventId = 1105, Level = LogLevel.Error, Message = "{Path} does not say which budgets there are: nothing is served until Ledger does")]
    public partial void KnownBudgetsUnreadable(string path, Exception error);

    [LoggerMessage(EventId = 1106, Level = LogLevel.Error, Message = "{Path} could not be written: a restart without Ledger would go on with older budgets, or wait for it. Trying again")]
    public partial void KnownBudgetsUnwritten(string path, Exception error);

    [LoggerMessage(EventId = 1107, Level = LogLevel.Error, Message = "The contact for budget window {Window} failed in the gateway itself; who waited for it gets 503")]
    public partial void BudgetContactFailed(string window, Exception error);

    [LoggerMessage(EventId = 1108, Level = LogLevel.Error, Message = "A pass of {Loop} failed in the gateway itself; it goes on with the next one")]
    public partial void LoopFailed(string loop, Exception error);

    [LoggerMessage(EventId = 1201, Level = LogLevel.Warning, Message = "{Deployment} failed before the first byte ({Failure}) in request {RequestId}")]
    public partial void AttemptFailed(string deployment, string failure, Guid requestId);

    [LoggerMessage(EventId = 1202, Level = LogLevel.Warning, Message = "{Deployment} rests for {Seconds} s ({Failure})")]
    public partial void DeploymentCooled(string deployment, double seconds, string failure);

    [LoggerMessage(EventId = 1204, Level = LogLevel.Warning, Message = "No connection was made to {Host}: it leads to a link-local or metadata address. If it is meant, name its network in general_settings.allowed_upstream_networks")]
    public partial void UpstreamAddressRefused(string host);

    [LoggerMessage(EventId = 1205, Level = LogLevel.Debug, Message = "Of the reply to request {RequestId} could not be said: {Names}")]
    public partial void ReplyNotWhole(Guid requestId, IReadOnlyList<string> names);

    [LoggerMessage(EventId = 1203, Level = LogLevel.Error, Message = "Request {RequestId} failed in the gateway itself")]
    public partial void RequestFailed(Guid requestId, Exception error);

    [LoggerMessage(EventId = 1401, Level = LogLevel.Warning, Message = "Ledger could not be told that the provider has batch {BatchId}; trying again with every look at batches")]
    public partial void BatchUntold(string batchId, Exception error);

    [LoggerMessage(EventId = 1402, Level = LogLevel.Warning, Message = "Ledger does not say which batches are to be looked at; trying again")]
    public partial void BatchesUnknown(Exception error);

    [LoggerMessage(EventId = 1403, Level = LogLevel.Warning, Message = "Batch {BatchId} could not be looked at; trying again")]
    public partial void BatchLookFailed(string batchId, Exception error);

    [LoggerMessage(EventId = 1404, Level = LogLevel.Error, Message = "Batch {BatchId} ({ProviderId} at {Deployment}) is unresolved: {Why}. It stays charged at its estimate; look at it at its provider and correct it with /budget/adjust")]
    public partial void BatchUnresolved(string batchId, string providerId, string deployment, string why);

    [LoggerMessage(EventId = 1405, Level = LogLevel.Information, Message = "Batch {BatchId}, whose submission was not answered, was found at its provider")]
    public partial void BatchFound(string batchId);

    [LoggerMessage(EventId = 1406, Level = LogLevel.Information, Message = "Batch {BatchId}, whose submission was not answered, never reached its provider: it is charged nothing")]
    public partial void BatchNeverTaken(string batchId);

    [LoggerMessage(EventId = 1301, Level = LogLevel.Information, Message = "{Notice}")]
    public partial void ConfigurationNotice(string notice);

    [LoggerMessage(EventId = 1302, Level = LogLevel.Warning, Message = "{Warning}")]
    public partial void ConfigurationWarning(string warning);

    [LoggerMessage(EventId = 1303, Level = LogLevel.Error, Message = "The changed configuration has errors and the old one stays in force:\n{Errors}")]
    public partial void ConfigurationRefused(string errors);

    [LoggerMessage(EventId = 1305, Level = LogLevel.Error, Message = "The changed configuration could not be put into force and the old one stays; trying again")]
    public partial void ConfigurationFailed(Exception error);

    [LoggerMessage(EventId = 1304, Level = LogLevel.Information, Message = "Configuration {Version} is in force")]
    public partial void ConfigurationLoaded(string version);
}
