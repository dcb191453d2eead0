using System.ComponentModel.DataAnnotations;

namespace Gateway.Ledger;

/// <summary>Section <c>Ledger</c>.</summary>
internal sealed class LedgerOptions
{
    /// <summary>How long an edge may be silent before it counts as one no more. Edges heartbeat every third of it.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan LeaseTimeToLive { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// How often silent edges are looked for in the windows of which something is leased. Those touched in the last hour are looked at every half of
    /// <see cref="LeaseTimeToLive"/>, idle ones in turn; then totals that Redis missed are told again, too.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.05", "00:05:00")]
    public TimeSpan ReclaimEvery { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// How often a Ledger process says that it lives, and takes the jobs over when the one that had them is gone. One that hangs for six times
    /// as long loses them.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.05", "00:05:00")]
    public TimeSpan DutyEvery { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// After how long a silent edge is taken for gone for good, its spool with it: what it held then goes back, but for what it said that it
    /// had charged. Until then it keeps all of it, because it may have charged it; an edge that comes back, or another one on its data
    /// directory, ends the wait at once.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "30.00:00:00")]
    public TimeSpan GoneEdgeAfter { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>After how long an edge that owes nothing is forgotten in Redis.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "7.00:00:00")]
    public TimeSpan ForgetEdgeAfter { get; init; } = TimeSpan.FromHours(1);

    /// <summary>
    /// How long a closed edge's last records may still be on their way from the hands of another Ledger process into the journal, where that one does not say
    /// that its hands are empty (it was killed a moment ago, hangs, or is of an older version): the longest pause of one that waits for its database
    /// (7.5 s), and as long again for the try that follows. A try that hangs for longer is not covered:
    /// what the edge charged after it last said so could then be spent twice. The edge keeps all that it held until then, and what it said that it had charged
    /// for <see cref="GoneEdgeAfter"/>, unless the journal has it before. Where each process said so, or there is none but this one and was none for six times
    /// <see cref="DutyEvery"/>, nothing is waited for.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:10:00")]
    public TimeSpan ClosedEdgeGrace { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Records in one transaction, at most.</summary>
    [Range(1, 20_000)]
    public int RecordsMaxPerTransaction { get; init; } = 4_000;

    /// <summary>Messages taken from the queue at once: of so many, one transaction is made.</summary>
    [Range(1, 1_000)]
    public int Prefetch { get; init; } = 32;

    /// <summary>How long messages gather for one transaction while more are coming. The first after a pause is booked at once.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:00:10")]
    public TimeSpan GatherFor { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How old a record may be: an older one is kept aside, because each month is a partition.</summary>
    [Range(typeof(TimeSpan), "1.00:00:00", "3650.00:00:00")]
    public TimeSpan RecordAgeMax { get; init; } = TimeSpan.FromDays(400);

    /// <summary>
    /// How long the journal's entries are kept; null for ever. Older months are taken out, unless they do not agree with their totals and with
    /// the usage rows. Not shorter than <see cref="RecordAgeMax"/>: a record that comes a second time must find its entry.
    /// </summary>
    [Range(typeof(TimeSpan), "31.00:00:00", "36500.00:00:00")]
    public TimeSpan? JournalRetention { get; init; }

    /// <summary>Whether months that are taken out are deleted. False: they are moved to the schema <c>journal_archive</c>, for a person to keep.</summary>
    public bool JournalDrop { get; init; }

    /// <summary>
    /// How long settled batches can be asked for and are listed. Files go when their provider has deleted them (<c>expires_at</c>), with no
    /// regard to this. A batch that is not settled stays, and its input.
    /// </summary>
    [Range(typeof(TimeSpan), "1.00:00:00", "3650.00:00:00")]
    public TimeSpan BatchesKeptFor { get; init; } = TimeSpan.FromDays(90);

    /// <summary>
    /// How long a budget's window is kept when it is over and nothing touches it any more, with its alerts; what was spent in it stays in the journal and in
    /// statements. Requests older than this cannot be priced anew. <see cref="RecordAgeMax"/> holds when it is longer: a late record must find its window.
    /// </summary>
    [Range(typeof(TimeSpan), "7.00:00:00", "36500.00:00:00")]
    public TimeSpan WindowsKeptFor { get; init; } = TimeSpan.FromDays(400);

    /// <summary>How long reports of comparisons are kept; the last one always is.</summary>
    [Range(typeof(TimeSpan), "1.00:00:00", "36500.00:00:00")]
    public TimeSpan ReportsKeptFor { get; init; } = TimeSpan.FromDays(90);

    /// <summary>How often journal, windows, Redis and usage rows are compared.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan ReconcileEvery { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// How long the answer to <c>POST /budget/reconciliation/run</c> waits for the comparison; then it is 202, and the comparison goes on. The
    /// edge gives an answer up of which it had no byte for a minute.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:00:50")]
    public TimeSpan ReconcileAnswerAfter { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How much of the past a comparison covers, in days.</summary>
    [Range(1, 400)]
    public int ReconcileDays { get; init; } = 2;

    /// <summary>Budgets in the remaining-ratio metric, those closest to their limit first.</summary>
    [Range(0, 1_000)]
    public int BudgetsInMetrics { get; init; } = 50;
}
