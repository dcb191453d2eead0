using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json;

namespace Gateway.Cluster.Tests.Calls;

/// <summary>An answer of the gateway, read to its end.</summary>
internal sealed record Answer(int Status, HttpResponseHeaders Headers, string ContentType, string Body)
{
    public JsonElement Json => JsonElement.Parse(Body);

    /// <summary>The id of the request's row, in the journal and in the usage records.</summary>
    public Guid RequestId => Guid.Parse(Header("x-gateway-request-id")!, CultureInfo.InvariantCulture);

    /// <summary>What the gateway says that it cost, in nano-dollars.</summary>
    public long Cost => (long)(decimal.Parse(Header("x-gateway-cost")!, CultureInfo.InvariantCulture) * 1_000_000_000);

    /// <summary>The text of a chat completion.</summary>
    public string? Text => Json.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString();

    /// <summary>The error's code; null when there is none.</summary>
    public string? Code => OfError("code");

    /// <summary>What the error says; null when there is none.</summary>
    public string? Message => OfError("message");

    public string? Header(string name) => Headers.TryGetValues(name, out var values) ? string.Join(", ", values) : null;

    /// <summary>Asserts that it is what was asked for; else the test fails with what the gateway said instead.</summary>
    public void IsOk() => Assert.True(Status == 200, $"200 was expected, and this came: {Status} {Body}");

    /// <summary>Asserts an error in OpenAI's envelope, whole.</summary>
    public void IsError(int status, string code)
    {
        Assert.Equal((status, code), (Status, Code));
        Assert.Equal("application/json", ContentType);
        var error = Json.GetProperty("error");
        Assert.Equal(["message", "type", "param", "code"], error.EnumerateObject().Select(field => field.Name));
        Assert.NotEmpty(error.GetProperty("message").GetString()!);
        Assert.NotEmpty(error.GetProperty("type").GetString()!);
    }

    private string? OfError(string field) => Body.StartsWith('{') && Json.TryGetProperty("error", out var error) ? error.GetProperty(field).GetString() : null;
}
