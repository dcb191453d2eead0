using Gateway.Edge.Providers;

namespace Gateway.Edge.Tests.Providers;

public sealed class ErrorTextTests
{
    [Theory]
    [InlineData("Not Found", true)]
    [InlineData("Invalid URL (POST /v1/responses)", true)]
    [InlineData("Cannot POST /v1/messages", true)]
    [InlineData("The provider answered with status 404 and no message.", true)]
    [InlineData("No such File object: file-abc", false)]
    [InlineData("Vector store with id [vs_1] not found.", false)]
    [InlineData("Prompt with id 'pmpt_1' not found.", false)]
    [InlineData("Container with id 'cntr_1' not found.", false)]
    [InlineData("Previous response with id 'resp_1' not found.", false)]
    public void A_thing_that_is_not_there_is_no_missing_route(string message, bool route) => Assert.Equal(route, ErrorText.SaysNoSuchRoute(message));
}
