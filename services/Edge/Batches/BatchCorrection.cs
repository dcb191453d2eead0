using System.Security.Cryptography;
using Gateway.Contracts;
using Gateway.Edge.Flow;
using Gateway.Pricing;

namespace Gateway.Edge.Batches;

/// <summary>
/// The record by which a batch that is over is charged what it cost instead of its estimate. Everything in it follows from the submission and
/// the output: two edges that settle one batch at once write the same record, and it is booked once.
/// </summary>
internal static class BatchCorrection
{
    /// <summary>The correction's record.</summary>
    /// <param name="submission">The record of the estimate.</param>
    /// <param name="used">What the batch used.</param>
    /// <param name="price">What its model costs; null for one without a price.</param>
    public static UsageRecord Of(UsageRecord submission, BatchOutput used, ModelPrice? price)
    {
        // No budget is overrun by what comes to light afterwards: the excess is written off, in sight. Without a budget there is nothing to overrun.
        var charged = submission.BudgetWindows.Length == 0 ? used.Cost : Money.Min(used.Cost, submission.Cost);
        return submission with
        {
            RequestId = IdOf(submission.RequestId),
            Corrects = submission.RequestId,
            EdgeId = "",
            DurationMicroseconds = 0,
            FirstByteMicroseconds = 0,
            FailedAttempts = null,
            Tokens = used.Tokens,
            Estimated = used.Estimated,
            Cost = charged - submission.Cost,
            WrittenOff = used.Cost - charged,
            Price = price?.Describe(ServiceTier.Batch),
        };
    }

    /// <summary>The correction's id: a UUID of version 7 at the submission's time, and otherwise a digest of the submission's id.</summary>
    public static Guid IdOf(Guid submission)
    {
        Span<byte> text = stackalloc byte[32];
        Span<byte> digest = stackalloc byte[32];
        submission.TryWriteBytes(text, bigEndian: true, out var length);
        "batch settled"u8.CopyTo(text[length..]);
        SHA256.HashData(text[..(length + "batch settled"u8.Length)], digest);
        text[..6].CopyTo(digest);
        digest[6] = (byte)((digest[6] & 0x0F) | 0x70);
        digest[8] = (byte)((digest[8] & 0x3F) | 0x80);
        return new Guid(digest[..16], bigEndian: true);
    }
}
