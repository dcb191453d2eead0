using System.Text;
using Gateway.Edge.Admission.Access;
using Gateway.Edge.Admission.Budgets;
using Gateway.Edge.Chat;
using Gateway.Edge.Files;
using Gateway.Edge.Flow;
using Gateway.Edge.Routing;
using Gateway.Edge.Tests.Batches;
using Microsoft.AspNetCore.Http;

namespace Gateway.Edge.Tests.Flow;

public sealed class EstimatesTests
{
    [Fact]
    public void A_request_that_names_files_may_read_its_models_window_and_is_expected_to_read_what_texts_of_their_size_have()
    {
        var body = Encoding.UTF8.GetBytes("""{"model":"m","max_tokens":10,"messages":[]}""");
        var group = new ModelGroup("m", [TestBatches.Target()]);
        using var exchange = new RequestExchange(new DefaultHttpContext(), DateTimeOffset.UnixEpoch, 0, 0, new ChatOperation(null!, null!, null!), null, null)
        {
            Body = RequestBody.Of(body), Grant = new ModelGrant(null!, group, true, new CostExpectation()),
        };
        Assert.Null(RequestHead.TryRead(body, out exchange.Head));

        // Nano-dollars: 2 and 8 dollars for a million tokens.
        Assert.Equal(((body.Length + Estimates.FramingTokens) * 2_000L) + 80_000, Estimates.WorstCase(exchange, group));
        Assert.Equal(body.Length / 4, Estimates.Input(exchange));

        exchange.Head.Files = new HeadFiles([], [], 40_000);
        Assert.Equal((128_000 * 2_000L) + 80_000, Estimates.WorstCase(exchange, group));
        Assert.Equal((body.Length / 4) + 10_000, Estimates.Input(exchange));
    }
}
