using Gateway.Edge.Tests.Providers;

namespace Gateway.Edge.Tests.Streaming;

/// <summary>What ends an event stream of Amazon's: exceptions that the service describes, and errors that stand in the headers alone.</summary>
public sealed class EventStreamReaderTests
{
    [Theory]
    [InlineData("InternalFailure", "It broke.", "Failed", "It broke.")]
    [InlineData("ThrottlingException", "Too many.", "RateLimited", "Too many.")]
    [InlineData("ValidationException", "The input is too long: prompt is too long", "ContextWindow", "The input is too long: prompt is too long")]
    [InlineData("InternalFailure", "", "Failed", "The provider answered with status 500 and no message.")]
    public void An_error_in_the_headers_has_its_kind_and_its_words(string code, string words, string kind, string message)
    {
        var bytes = EventStreamBytes.Message("", (":message-type", "error"), (":error-code", code), (":error-message", words));

        var result = ProviderCases.ReadStream(ProviderCases.Provider("bedrock"), bytes, static () => 13);

        Assert.Equal((kind, code, message, false), (result.Error?.Kind.ToString(), result.Error?.Code, result.Error?.Message, result.Ended));
    }

    [Theory]
    [InlineData("throttlingException", "RateLimited")]
    [InlineData("validationException", "BadRequest")]
    [InlineData("modelStreamErrorException", "Failed")]
    public void An_exception_has_its_kind_and_its_words(string type, string kind)
    {
        var bytes = EventStreamBytes.Message("{\"message\":\"No.\"}", (":message-type", "exception"), (":exception-type", type), (":content-type", "application/json"));

        var result = ProviderCases.ReadStream(ProviderCases.Provider("bedrock"), bytes, static () => 13);

        Assert.Equal((kind, type, "No."), (result.Error?.Kind.ToString(), result.Error?.Code, result.Error?.Message));
    }
}
