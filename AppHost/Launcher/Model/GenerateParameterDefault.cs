using System.Security.Cryptography;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>Makes a random value with at least the wanted number of characters of each kind.</summary>
public sealed class GenerateParameterDefault : ParameterDefault
{
    private const string LowerLetters = "abcdefghijkmnopqrstuvwxyz";
    private const string UpperLetters = "ABCDEFGHJKLMNPQRSTUVWXYZ";
    private const string Digits = "0123456789";
    private const string Specials = "-_.{}~()*+!";

    public int MinLength { get; set; } = 22;

    public bool Lower { get; set; } = true;

    public bool Upper { get; set; } = true;

    public bool Numeric { get; set; } = true;

    public bool Special { get; set; } = true;

    public int MinLower { get; set; }

    public int MinUpper { get; set; }

    public int MinNumeric { get; set; }

    public int MinSpecial { get; set; }

    public override string GetDefaultValue()
    {
        (string Letters, bool Used, int Least)[] kinds =
            [(LowerLetters, Lower, MinLower), (UpperLetters, Upper, MinUpper), (Digits, Numeric, MinNumeric), (Specials, Special, MinSpecial)];
        var used = kinds.Where(kind => kind.Used).ToList();
        var value = used.SelectMany(kind => RandomNumberGenerator.GetItems<char>(kind.Letters, kind.Least)).ToList();
        var all = string.Concat(used.Select(kind => kind.Letters));
        value.AddRange(RandomNumberGenerator.GetItems<char>(all, Math.Max(0, MinLength - value.Count)));
        var shuffled = value.ToArray();
        RandomNumberGenerator.Shuffle<char>(shuffled);
        return new string(shuffled);
    }
}
