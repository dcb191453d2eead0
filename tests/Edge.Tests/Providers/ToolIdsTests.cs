using System.Globalization;
using Gateway.Edge.Providers;

namespace Gateway.Edge.Tests.Providers;

/// <summary>The ids of calls for a protocol that takes each once.</summary>
public sealed class ToolIdsTests
{
    private const int LengthMax = 64;

    /// <summary>A number that each of them tries anew makes as many tries as the square of them: it shows in numbers that come again.</summary>
    [Fact]
    public void IdsThatAreCutAlike_ShareOneCount()
    {
        string[] ids = [.. Enumerable.Range(0, 4000).Select(static n => new string('a', 59) + n.ToString("D5", CultureInfo.InvariantCulture))];
        var own = new ToolIds(LengthMax);

        string[] first = [.. ids.Select(own.OfCall)];
        string[] second = [.. ids.Select(own.OfCall)];

        Assert.Equal(ids, first);
        Assert.Equal(Enumerable.Range(2, ids.Length), second.Select(static id => int.Parse(id[(id.LastIndexOf('_') + 1)..], CultureInfo.InvariantCulture)));
        Assert.Equal(2 * ids.Length, first.Concat(second).Distinct().Count());
        Assert.All(second, static id => Assert.True(id.Length <= LengthMax, id));
        Assert.Equal(first, ids.Select(own.OfResult));
        Assert.Equal(second, ids.Select(own.OfResult));
    }
}
