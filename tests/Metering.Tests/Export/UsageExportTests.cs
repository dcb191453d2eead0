using System.Net;
using System.Text.Json.Nodes;
using Gateway.Metering.Export;

namespace Gateway.Metering.Tests.Export;

[Collection("metering")]
public sealed class UsageExportTests
{
    [Fact]
    public async Task Export_GivesEveryRow_InBothFormats_WithTheSameSum()
    {
        await using var host = await MeteringHost.StartAsync();
        var records = Sample.Many(3_000);
        await host.Store.WriteAsync(records, CancellationToken.None);
        var total = records.Sum(record => record.Cost.ToDollars());

        using var ndjson = await host.GetAsync("/usage/export?format=ndjson", MeteringHost.Admin);
        var rows = (await ndjson.Content.ReadAsStringAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!).ToList();
        Assert.Equal(3_000, rows.Count);
        Assert.Equal(total, rows.Sum(row => row["spend"]!.GetValue<decimal>()));

        using var csv = await host.GetAsync("/usage/export?format=csv", MeteringHost.Admin);
        Assert.Equal("text/csv", csv.Content.Headers.ContentType!.MediaType);
        var lines = (await csv.Content.ReadAsStringAsync()).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        var column = Array.IndexOf(lines[0].Split(','), "spend");
        Assert.Equal(3_001, lines.Length);
        Assert.Equal(total, lines.Skip(1).Sum(line => decimal.Parse(line.Split(',')[column], System.Globalization.CultureInfo.InvariantCulture)));
        Assert.Equal(lines[0].Split(',').Length, lines[1].Split(',').Length);
    }

    [Fact]
    public async Task WrongFormat_Is422()
    {
        await using var host = await MeteringHost.StartAsync();
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await host.GetAsync("/usage/export?format=xls", MeteringHost.Admin)).StatusCode);
    }

    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("a,b", "\"a,b\"")]
    [InlineData("say \"hi\"\n", "\"say \"\"hi\"\"\n\"")]
    [InlineData("=1+1", "'=1+1")]
    [InlineData("@x", "'@x")]
    [InlineData(null, "")]
    public void Field_IsQuoted_AndIsNoFormula(string? text, string field) => Assert.Equal(field, CsvRow.Field(text));
}
