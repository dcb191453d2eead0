namespace Gateway.Ledger;

internal static partial class LedgerLog
{
    [LoggerMessage(EventId = 3100, Level = LogLevel.Warning, Message = "A record of edge {EdgeId} was kept aside: {Reason}. See rejected_records")]
    public static partial void RecordRejected(this ILogger logger, string edgeId, string reason);

    [LoggerMessage(EventId = 3101, Level = LogLevel.Warning, Message = "Entry {EntryId} was kept aside: the database refused it with {SqlState}")]
    public static partial void EntryRejected(this ILogger logger, Guid entryId, string sqlState);

    [LoggerMessage(EventId = 3102, Level = LogLevel.Error, Message = "Request {RequestId} came again with another amount: the first stands. Look at the edge that sent it")]
    public static partial void RepeatedWithAnotherAmount(this ILogger logger, Guid requestId);

    [LoggerMessage(EventId = 3103, Level = LogLevel.Warning, Message = "The journal could not be written (attempt {Attempt}, {Failure} {SqlState}); records wait in their queue")]
    public static partial void DatabaseAway(this ILogger logger, int attempt, string failure, string? sqlState);

    [LoggerMessage(EventId = 3104, Level = LogLevel.Information, Message = "Month {Month} is older than the retention and was taken out of the journal: {How}")]
    public static partial void MonthTakenOut(this ILogger logger, DateOnly month, string how);

    [LoggerMessage(EventId = 3105, Level = LogLevel.Warning, Message = "Month {Month} is older than the retention and stays in the journal: {Why}")]
    public static partial void MonthKept(this ILogger logger, DateOnly month, string why);

    [LoggerMessage(EventId = 3106, Level = LogLevel.Information, Message = "Forgot {Batches} batches that were settled long ago and {Files} files that had expired")]
    public static partial void BatchesForgotten(this ILogger logger, int batches, int files);

    [LoggerMessage(EventId = 3107, Level = LogLevel.Information, Message = "Forgot {Windows} windows that were over, {EdgesInWindows} totals of {Edges} closed edges, {Alerts} alerts and {Reports} reports")]
    public static partial void WindowsForgotten(this ILogger logger, int windows, int edgesInWindows, int edges, int alerts, int reports);

    [LoggerMessage(EventId = 3200, Level = LogLevel.Information, Message = "Window {WindowId} was rebuilt in Redis from the journal (spent {SpentNano} nano-dollars); it opens in {OpensInMs} ms")]
    public static partial void WindowRebuilt(this ILogger logger, string windowId, long spentNano, long opensInMs);

    [LoggerMessage(EventId = 3201, Level = LogLevel.Warning, Message = "Edge {EdgeId} could not be given its windows ({Failure})")]
    public static partial void EnsureFailed(this ILogger logger, string edgeId, string failure);

    [LoggerMessage(EventId = 3202, Level = LogLevel.Debug, Message = "Redis could not be told of window {WindowId} ({Failure}); trying again")]
    public static partial void RedisNotTold(this ILogger logger, string windowId, string failure);

    [LoggerMessage(EventId = 3203, Level = LogLevel.Information, Message = "Took back {GivenBackNano} nano-dollars of window {WindowId} from silent edges")]
    public static partial void LeasesReclaimed(this ILogger logger, long givenBackNano, string windowId);

    [LoggerMessage(EventId = 3205, Level = LogLevel.Information, Message = "Edge {EdgeId} is closed: every record of it is in the journal, its leases are back")]
    public static partial void EdgeSettled(this ILogger logger, string edgeId);

    [LoggerMessage(EventId = 3206, Level = LogLevel.Warning, Message = "Windows could not be parked ({Failure}): the next start waits for edges before it grants")]
    public static partial void ParkingFailed(this ILogger logger, string failure);

    [LoggerMessage(EventId = 3207, Level = LogLevel.Warning, Message = "Edge {EdgeId} is closed and its leases are back, but not all that it may have charged is in the journal, and nobody waits for it any more. Look into its spool, ledger-usage_error and rejected_records")]
    public static partial void EdgeSettledWithoutAll(this ILogger logger, string edgeId);

    [LoggerMessage(EventId = 3300, Level = LogLevel.Error, Message = "Reconciliation: {Kind} of {Subject} differ by {DifferenceNano} nano-dollars: {Explanation}")]
    public static partial void Differs(this ILogger logger, string kind, string subject, long differenceNano, string explanation);

    [LoggerMessage(EventId = 3400, Level = LogLevel.Warning, Message = "Budget alert {Event} for {BudgetId} could not be delivered ({Failure}); trying again")]
    public static partial void AlertNotDelivered(this ILogger logger, string @event, string budgetId, string failure);

    [LoggerMessage(EventId = 3401, Level = LogLevel.Warning, Message = "Alert {Event} about a record of edge {EdgeId} was not raised: the database refused it with {SqlState}. The record is booked")]
    public static partial void AlertRefused(this ILogger logger, string @event, string edgeId, string sqlState);

    [LoggerMessage(EventId = 3402, Level = LogLevel.Error, Message = "A comparison of the books that was asked for broke off. What it has added up month by month stays; ask again")]
    public static partial void ComparisonFailed(this ILogger logger, Exception error);
}
