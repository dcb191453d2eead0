using System.Text;
using Gateway.Configuration;
using Gateway.Contracts;
using Gateway.Edge.Admission;
using Gateway.Edge.Admission.Access;
using Gateway.Edge.Admission.Budgets;
using Gateway.Edge.Flow;
using Microsoft.AspNetCore.Http;

namespace Gateway.Edge.Tests.Admission;

/// <summary>Tags come from the key and from the request, the end user from the request.</summary>
public sealed class RequestLabelsTests
{
    [Fact]
    public void A_caller_s_tags_come_on_top_of_its_key_s_and_take_none_away()
    {
        var exchange = Exchange("""{"model":"m","metadata":{"tags":["env=prod","job=7"]}}""", ["env=dev"], ("x-litellm-tags", "job=7, team-x,"));

        Assert.Null(RequestLabels.Read(exchange, new GeneralSettings()));
        Assert.Equal(["env=dev", "env=prod", "job=7", "team-x"], exchange.Tags);
    }

    [Fact]
    public void Without_tags_of_its_own_a_request_has_its_key_s()
    {
        var exchange = Exchange("""{"model":"m"}""", ["env=dev"]);

        Assert.Null(RequestLabels.Read(exchange, new GeneralSettings()));
        Assert.Same(exchange.Caller.Snapshot.Tags, exchange.Tags);
    }

    [Fact]
    public void Where_tags_come_from_keys_alone_a_caller_s_are_refused()
    {
        var settings = new GeneralSettings { RejectClientsideTags = true };

        Assert.Equal("metadata.tags", RequestLabels.Read(Exchange("""{"model":"m","metadata":{"tags":["a"]}}"""), settings)?.Param);
        Assert.Equal("metadata.tags", RequestLabels.Read(Exchange("""{"model":"m"}""", [], ("x-litellm-tags", "a")), settings)?.Param);
        Assert.Null(RequestLabels.Read(Exchange("""{"model":"m"}""", ["of-the-key"]), settings));
    }

    [Fact]
    public void Tags_and_end_users_are_bounded_because_they_become_names()
    {
        var many = string.Join(',', Enumerable.Range(0, RequestLabels.TagsMax + 1));
        Assert.Equal("metadata.tags", RequestLabels.Read(Exchange("""{"model":"m"}""", [], ("x-litellm-tags", many)), new GeneralSettings())?.Param);
        Assert.Equal("metadata.tags", RequestLabels.Read(Exchange("""{"model":"m","metadata":{"tags":["a\nb"]}}"""), new GeneralSettings())?.Param);
        Assert.Equal("user", RequestLabels.Read(Exchange("""{"model":"m","user":"a\u0000b"}"""), new GeneralSettings())?.Param);
        Assert.Equal("user", RequestLabels.Read(Exchange($$"""{"model":"m","user":"{{new string('u', RequestLabels.CharactersMax + 1)}}"}"""), new GeneralSettings())?.Param);
    }

    [Theory]
    [InlineData("""{"model":"m","user":"of-the-body"}""", null, "of-the-body")]
    [InlineData("""{"model":"m","user":"of-the-body"}""", "x-end-user", "of-the-header")]
    [InlineData("""{"model":"m","user":"of-the-body"}""", "x-litellm-end-user-id", "of-the-header")]
    [InlineData("""{"model":"m"}""", "x-litellm-customer-id", "of-the-header")]
    [InlineData("""{"model":"m"}""", null, null)]
    public void The_end_user_is_named_by_a_header_or_the_body(string body, string? header, string? expected)
    {
        var exchange = header is null ? Exchange(body) : Exchange(body, [], (header, "of-the-header"));

        Assert.Null(RequestLabels.Read(exchange, new GeneralSettings { UserHeaderName = "x-end-user" }));
        Assert.Equal(expected, exchange.EndUser);
    }

    [Fact]
    public void Where_every_request_must_name_its_end_user_one_without_is_refused() =>
        Assert.Equal("user", RequestLabels.Read(Exchange("""{"model":"m"}"""), new GeneralSettings { EnforceUserParam = true })?.Param);

    private static RequestExchange Exchange(string body, string[]? keyTags = null, params (string Name, string Value)[] headers)
    {
        var context = new DefaultHttpContext();
        foreach (var (name, value) in headers)
        {
            context.Request.Headers[name] = value;
        }

        var exchange = new RequestExchange(context, DateTimeOffset.UnixEpoch, 0, 0, operation: null!, surface: null, modelInPath: null)
        {
            Caller = new Caller(new AccessSnapshot { KeyId = "k", Tags = keyTags ?? [] }, [], [], new ExpectationBook()),
        };
        Assert.Null(RequestHead.TryRead(Encoding.UTF8.GetBytes(body), out exchange.Head));
        return exchange;
    }
}
