using System.Security.Cryptography;
using Gateway.Contracts;
using Gateway.Ledger.Journal;
using Gateway.Pricing;

namespace Gateway.Ledger.Repricing;

/// <summary>A request as the journal has it: its own entry, and what pricing it anew has added so far.</summary>
internal sealed record BookedRequest(JournalEntry Entry, Money RepricedBy)
{
    public Money Booked => Entry.Amount + RepricedBy;
}

/// <summary>What pricing a request anew comes to.</summary>
/// <param name="Skipped">Why it stays as it is; null when it was priced.</param>
/// <param name="Before">What is booked for it.</param>
/// <param name="After">What it costs at the new price.</param>
/// <param name="Entry">The entry of the difference; null when there is none.</param>
internal sealed record Repriced(string? Skipped, Money Before, Money After, JournalEntry? Entry)
{
    public static Repriced Left(string why) => new(why, Money.Zero, Money.Zero, null);
}

/// <summary>How a request is priced anew. No I/O.</summary>
internal static class RepricingRules
{
    /// <summary>The new price does not name its model.</summary>
    public const string NotListed = "not_listed";

    /// <summary>It was ended by a budget, and what it cost beyond that was written off: its cost is the budget's, not the price's.</summary>
    public const string EndedByBudget = "ended_by_budget";

    /// <summary>It was charged by the second or the character, which usage rows do not have.</summary>
    public const string UnitsNotKept = "units_not_kept";

    /// <summary>A batch: its estimate and its correction are one cost in two rows.</summary>
    public const string Batch = "batch";

    /// <summary>Its entry is not in the journal (yet).</summary>
    public const string NotBooked = "not_booked";

    public static Repriced Of(UsageToPrice usage, BookedRequest? booked, PriceCatalogue prices, Guid repricing, string reason, string author)
    {
        if (prices.Find(usage.Provider, usage.ProviderModel) is not { } price)
        {
            return Repriced.Left(NotListed);
        }

        if (usage.CallType == UsageRecord.BatchCall)
        {
            return Repriced.Left(Batch);
        }

        if (usage.Outcome == UsageOutcome.BudgetExhausted)
        {
            return Repriced.Left(EndedByBudget);
        }

        if (price.PerSecond > 0 || price.PerCharacter > 0)
        {
            return Repriced.Left(UnitsNotKept);
        }

        if (booked is null)
        {
            return Repriced.Left(NotBooked);
        }

        var tier = TierOf(usage.Price);
        var after = CostCalculator.Cost(usage.Tokens, price, new CostUnits(tier));
        var difference = after - booked.Booked;
        return new(null, booked.Booked, after, difference == Money.Zero ? null : Entry(booked.Entry, difference, repricing, price.Describe(tier, usage.Tokens.PromptTokens), reason, author));
    }

    /// <summary>The service tier that a request was charged in, from the price that its record names: <c>openai/gpt-4o@2026-11 priority input=…</c>.</summary>
    public static ServiceTier TierOf(string? price) =>
        price?.Split(' ', 3) is [_, var second, ..] && Enum.TryParse<ServiceTier>(second, ignoreCase: true, out var tier) && Enum.IsDefined(tier) ? tier : ServiceTier.Standard;

    // Booked where the request was: on the same accounts, windows and day, at the same instant. Not in an edge's name, because no lease of an
    // edge was for it.
    private static JournalEntry Entry(JournalEntry request, Money difference, Guid repricing, string price, string reason, string author)
    {
        var takesBack = difference < Money.Zero;
        return new()
        {
            At = request.At,
            Id = IdOf(repricing, request.Id),
            Kind = EntryKind.Repricing,
            Debit = takesBack ? request.Credit : request.Debit,
            Credit = takesBack ? request.Debit : request.Credit,
            Amount = takesBack ? -difference : difference,
            Reverses = takesBack,
            Accounts = request.Accounts,
            Windows = request.Windows,
            Price = price,
            Reason = reason,
            Author = author,
            About = request.Id,
        };
    }

    /// <summary>The same for the same repricing and request, so that doing it again adds nothing.</summary>
    public static Guid IdOf(Guid repricing, Guid request)
    {
        Span<byte> both = stackalloc byte[32];
        repricing.TryWriteBytes(both);
        request.TryWriteBytes(both[16..]);
        Span<byte> hash = stackalloc byte[32];
        SHA256.HashData(both, hash);
        // Version 8: an id of our own making.
        hash[6] = (byte)((hash[6] & 0x0F) | 0x80);
        hash[8] = (byte)((hash[8] & 0x3F) | 0x80);
        return new Guid(hash[..16], bigEndian: true);
    }
}
