using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Gateway.Contracts;

/// <summary>
/// An amount of US dollars as whole nano-dollars (1 USD = 1,000,000,000): exact, ordered, checked for overflow.
/// Range: about ±9.2 billion dollars. In JSON between services it is the number of nano-dollars.
/// </summary>
[JsonConverter(typeof(MoneyJsonConverter))]
public readonly record struct Money(long NanoDollars) : IComparable<Money>
{
    /// <summary>Nano-dollars in one dollar.</summary>
    public const long NanoDollarsPerDollar = 1_000_000_000;

    /// <summary>No money.</summary>
    public static readonly Money Zero;

    /// <summary>The largest amount: it stands for "no limit".</summary>
    public static readonly Money MaxValue = new(long.MaxValue);

    /// <summary>The amount of <paramref name="dollars"/>, rounded to a nano-dollar, half to even.</summary>
    /// <exception cref="OverflowException">The amount is outside of the range.</exception>
    public static Money FromDollars(decimal dollars) =>
        FromNanoDollars(dollars * NanoDollarsPerDollar);

    /// <summary>The amount of <paramref name="nanoDollars"/>, which may have a fraction: rounded once, half to even.</summary>
    /// <exception cref="OverflowException">The amount is outside of the range.</exception>
    public static Money FromNanoDollars(decimal nanoDollars) =>
        new((long)decimal.Round(nanoDollars, MidpointRounding.ToEven));

    /// <summary>This amount in dollars, exactly.</summary>
    public decimal ToDollars() => (decimal)NanoDollars / NanoDollarsPerDollar;

    /// <summary>This amount in dollars, exactly, as plain digits without closing zeros: <c>0.0015</c>.</summary>
    public string ToDollarText()
    {
        // Nineteen digits, a sign, a point and a zero before it.
        Span<char> text = stackalloc char[24];
        var (dollars, rest) = Math.DivRem(NanoDollars, NanoDollarsPerDollar);
        var length = 0;
        if (dollars == 0 && rest < 0)
        {
            text[length++] = '-';
        }

        dollars.TryFormat(text[length..], out var written, provider: CultureInfo.InvariantCulture);
        length += written;
        if (rest != 0)
        {
            text[length++] = '.';
            Math.Abs(rest).TryFormat(text[length..], out written, "D9", CultureInfo.InvariantCulture);
            length = text[..(length + written)].TrimEnd('0').Length;
        }

        return new string(text[..length]);
    }

    /// <summary>The smaller of two amounts.</summary>
    public static Money Min(Money left, Money right) => left.NanoDollars <= right.NanoDollars ? left : right;

    /// <summary>The larger of two amounts.</summary>
    public static Money Max(Money left, Money right) => left.NanoDollars >= right.NanoDollars ? left : right;

    /// <inheritdoc/>
    public int CompareTo(Money other) => NanoDollars.CompareTo(other.NanoDollars);

    /// <summary>Dollars with as many decimals as the amount has, at least two: <c>$0.0015</c>.</summary>
    public override string ToString() =>
        "$" + ToDollars().ToString("0.00#######", CultureInfo.InvariantCulture);

#pragma warning disable CS1591 // The operators do what they say; each throws OverflowException rather than wrap.
    public static Money operator +(Money left, Money right) => new(checked(left.NanoDollars + right.NanoDollars));

    public static Money operator -(Money left, Money right) => new(checked(left.NanoDollars - right.NanoDollars));

    public static Money operator -(Money amount) => new(checked(-amount.NanoDollars));

    public static bool operator <(Money left, Money right) => left.NanoDollars < right.NanoDollars;

    public static bool operator >(Money left, Money right) => left.NanoDollars > right.NanoDollars;

    public static bool operator <=(Money left, Money right) => left.NanoDollars <= right.NanoDollars;

    public static bool operator >=(Money left, Money right) => left.NanoDollars >= right.NanoDollars;
#pragma warning restore CS1591
}

/// <summary>Writes <see cref="Money"/> between services as a whole number of nano-dollars.</summary>
public sealed class MoneyJsonConverter : JsonConverter<Money>
{
    /// <inheritdoc/>
    public override Money Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => new(reader.GetInt64());

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, Money value, JsonSerializerOptions options) => writer.WriteNumberValue(value.NanoDollars);
}
