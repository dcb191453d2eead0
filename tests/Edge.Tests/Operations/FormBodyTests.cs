using System.IO.Pipelines;
using System.Text;
using Gateway.Edge.Operations;
using Microsoft.AspNetCore.Http;

namespace Gateway.Edge.Tests.Operations;

public sealed class FormBodyTests
{
    private const string Head = "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nears\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n";
    private const string End = "\r\n--b--\r\n";

    [Fact]
    public async Task It_is_sent_on_while_it_comes_in_and_whole_again_for_another_try()
    {
        var incoming = new Pipe();
        var outgoing = new Pipe();
        using var form = FormBody.Of(Request(incoming.Reader.AsStream()), 10_000_000)!;
        await incoming.Writer.WriteAsync(Encoding.ASCII.GetBytes(Head));
        Assert.Null(await form.ReadHeadAsync(modelIsGiven: false, default));
        Assert.Equal("ears", form.Model);

        using var content = form.With("whisper-1");
        var sending = content.CopyToAsync(outgoing.Writer.AsStream());
        // The provider has the beginning, with its own name of the model, though the caller has not sent the file.
        var expected = Head.Replace("ears", "whisper-1", StringComparison.Ordinal);
        Assert.Equal(expected, await ReadAsync(outgoing.Reader, expected.Length));

        var file = new string('x', 900_000);
        var writing = Task.Run(async () =>
        {
            await incoming.Writer.WriteAsync(Encoding.ASCII.GetBytes(file + End));
            await incoming.Writer.CompleteAsync();
        });
        Assert.Equal(file + End, await ReadAsync(outgoing.Reader, file.Length + End.Length));
        await sending;
        await writing;
        Assert.Equal(900_000, form.FileBytes);

        using var again = form.With("other");
        Assert.Equal(Head.Replace("ears", "other", StringComparison.Ordinal) + file + End, await again.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_form_without_a_model_gets_the_one_that_the_path_names()
    {
        var text = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nsound" + End;
        using var form = FormBody.Of(Request(new MemoryStream(Encoding.ASCII.GetBytes(text)), text.Length), 10_000)!;
        Assert.Null(await form.ReadHeadAsync(modelIsGiven: true, default));

        using var content = form.With("whisper-1");
        var sent = await content.ReadAsStringAsync();
        Assert.Equal("--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n" + text, sent);
        Assert.Equal(sent.Length, content.Headers.ContentLength);
    }

    [Theory]
    [InlineData(2_000, 413)]
    [InlineData(100_000, 400)]
    public async Task What_is_too_large_or_breaks_off_ends_the_sending(int bytesMax, int status)
    {
        var text = Head + new string('x', 50_000);
        using var form = FormBody.Of(Request(new MemoryStream(Encoding.ASCII.GetBytes(text))), bytesMax)!;
        var early = await form.ReadHeadAsync(modelIsGiven: false, default);

        if (early is null)
        {
            using var content = form.With("whisper-1");
            await Assert.ThrowsAnyAsync<Exception>(() => content.CopyToAsync(Stream.Null));
        }

        Assert.Equal(status, form.Problem?.Status);
    }

    [Theory]
    [InlineData("application/json")]
    [InlineData("multipart/form-data")]
    [InlineData("nonsense")]
    public void Anything_else_is_no_form(string contentType)
    {
        var request = Request(Stream.Null);
        request.ContentType = contentType;
        Assert.Null(FormBody.Of(request, 1_000));
    }

    private static HttpRequest Request(Stream body, long? length = null)
    {
        var request = new DefaultHttpContext().Request;
        request.Body = body;
        request.ContentType = "multipart/form-data; boundary=b";
        request.ContentLength = length;
        return request;
    }

    private static async Task<string> ReadAsync(PipeReader reader, int length)
    {
        var read = await reader.ReadAtLeastAsync(length);
        var text = Encoding.ASCII.GetString(System.Buffers.BuffersExtensions.ToArray(read.Buffer.Slice(0, length)));
        reader.AdvanceTo(read.Buffer.GetPosition(length));
        return text;
    }
}
