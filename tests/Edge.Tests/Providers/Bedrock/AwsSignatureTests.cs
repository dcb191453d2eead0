using System.Text;
using Gateway.Edge.Providers;
using Gateway.Edge.Providers.Bedrock;
using Gateway.Edge.Streaming;

namespace Gateway.Edge.Tests.Providers.Bedrock;

public sealed class AwsSignatureTests
{
    private static readonly DateTimeOffset Then = new(2015, 8, 30, 12, 36, 0, TimeSpan.Zero);
    private static readonly AwsCredentials Example = new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", null);

    [Fact]
    public void The_signature_is_the_one_of_Amazons_published_example()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "https://example.amazonaws.com/");

        AwsSignature.Sign(request, [], Example, "us-east-1", "service", Then);

        Assert.Equal(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
            Assert.Single(request.Headers.GetValues("Authorization")));
    }

    [Fact]
    public void The_body_the_path_and_the_session_are_signed()
    {
        var signatures = new[] { Sign("a", "/model/x/converse", null), Sign("b", "/model/x/converse", null), Sign("a", "/model/y/converse", null), Sign("a", "/model/x/converse", "s") };

        Assert.Equal(4, signatures.Distinct().Count());
        Assert.Contains("SignedHeaders=content-type;host;x-amz-date;x-amz-security-token,", signatures[3], StringComparison.Ordinal);

        static string Sign(string body, string path, string? session)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "https://bedrock-runtime.us-east-1.amazonaws.com" + path)
            {
                Content = new StringContent(body, Encoding.UTF8, "application/json"),
            };
            AwsSignature.Sign(request, Encoding.UTF8.GetBytes(body), Example with { SessionToken = session }, "us-east-1", "bedrock", Then);
            return request.Headers.GetValues("Authorization").Single();
        }
    }

    [Fact]
    public void A_message_with_a_wrong_checksum_is_malformed()
    {
        var bytes = RecordedCasesTests.StreamBytes("bedrock", "plain");
        bytes[40] ^= 1;
        using var reader = new EventStreamReader();
        reader.Append(bytes);

        Assert.Throws<MalformedReplyException>(() => reader.TryRead(out _));
    }
}
