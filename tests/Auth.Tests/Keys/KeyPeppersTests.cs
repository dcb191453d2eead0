using Gateway.Auth.Configuration;
using Gateway.Auth.Keys;

namespace Gateway.Auth.Tests.Keys;

public sealed class KeyPeppersTests
{
    private const string One = "one:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
    private const string Two = "two:YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXowMTIzNDU=";

    [Fact]
    public void The_first_pepper_makes_hashes_and_all_are_tried()
    {
        var old = KeyPeppers.Parse(One);
        var rotated = KeyPeppers.Parse($"{Two}, {One}");

        Assert.Equal("two", rotated.Hash("sk-a").PepperId);
        Assert.Contains(rotated.Candidates("sk-a"), candidate => candidate.PepperId == "one" && candidate.Hash.AsSpan().SequenceEqual(old.Hash("sk-a").Hash));
    }

    [Fact]
    public void A_plain_text_is_one_pepper() => Assert.Equal("default", KeyPeppers.Parse("a plain text that is long").CurrentId);

    [Theory]
    [InlineData(null, "missing")]
    [InlineData("  ", "missing")]
    [InlineData("short-secret", "shorter")]
    [InlineData("one:c2hvcnQ=", "less than")]
    [InlineData("one:not base64!", "neither")]
    [InlineData(One + "," + One, "twice")]
    public void A_setting_that_is_wrong_says_so_and_never_its_value(string? setting, string says)
    {
        var error = Assert.Throws<UnusableSettingsException>(() => KeyPeppers.Parse(setting));
        Assert.Contains(says, error.Message, StringComparison.Ordinal);
        Assert.Contains("GATEWAY__KEYPEPPER", error.Message, StringComparison.Ordinal);
        if (setting?.Trim() is { Length: > 0 } text)
        {
            Assert.DoesNotContain(text, error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_key_id_differs_from_the_stored_hash_and_from_that_of_a_deleted_key_with_the_same_value()
    {
        var peppers = KeyPeppers.Parse(One);
        Assert.Equal(peppers.NewKeyId("sk-a"), peppers.NewKeyId("sk-a"));
        Assert.NotEqual(peppers.NewKeyId("sk-a", "1"), peppers.NewKeyId("sk-a", "2"));
        Assert.NotEqual(Convert.ToHexStringLower(peppers.Hash("sk-a").Hash), peppers.NewKeyId("sk-a"));
    }

    [Fact]
    public void New_keys_are_url_safe_and_never_the_same()
    {
        var keys = Enumerable.Range(0, 1000).Select(_ => KeyMaker.NewKey()).ToArray();
        Assert.Equal(1000, keys.Distinct().Count());
        Assert.All(keys, key => Assert.Matches("^sk-[A-Za-z0-9_-]{32}$", key));
        Assert.All(keys, key => Assert.Equal($"sk-...{key[^4..]}", KeyMaker.NameOf(key)));
    }
}
