using System.Text;
using Gateway.Edge.Files;
using Microsoft.AspNetCore.Http;

namespace Gateway.Edge.Tests.Files;

/// <summary>The form of a file: read to its end, the file on disk and bounded.</summary>
public sealed class UploadFormTests
{
    private const string Purpose = "--b\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n";
    private const string File = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"../secret/in.jsonl\"\r\nContent-Type: application/jsonl\r\n\r\n";
    private const string End = "\r\n--b--\r\n";

    [Theory]
    [InlineData(Purpose + File + "lines" + End)]
    [InlineData(File + "lines\r\n" + Purpose + "--b--\r\n")]
    public async Task Its_parts_may_come_in_any_order_and_the_files_name_is_no_path(string text)
    {
        var (form, error) = await ReadAsync(text);

        Assert.Null(error);
        await using (form)
        {
            Assert.Equal(("batch", "in.jsonl", "application/jsonl"), (form!["purpose"], form.Filename, form.ContentType));
            Assert.Equal("lines", await new StreamReader(form.File!).ReadToEndAsync());
            Assert.False(System.IO.File.Exists(form.File!.Name) && !OperatingSystem.IsWindows());
        }
    }

    [Theory]
    [InlineData(Purpose + File + "0123456789a" + End, 413, "request_too_large")]
    [InlineData(Purpose + "--b--\r\n", 400, "invalid_request")]
    [InlineData(Purpose + File + "012", 400, "invalid_request")]
    [InlineData("nonsense", 400, "invalid_request")]
    [InlineData(Purpose + File + "1\r\n" + File + "2" + End, 400, "invalid_request")]
    [InlineData("--b\r\nContent-Disposition: form-data; name=\"api_base\"\r\n\r\nhttp://evil.example\r\n" + File + "1" + End, 400, "invalid_request")]
    public async Task What_is_too_large_broken_or_not_a_callers_to_say_is_refused(string text, int status, string code)
    {
        var (form, error) = await ReadAsync(text, fileBytesMax: 10);
        Assert.Null(form);
        Assert.Equal((status, code), (error!.Status, error.Code));
    }

    [Fact]
    public async Task What_is_no_form_is_told_what_to_send()
    {
        var request = new DefaultHttpContext().Request;
        request.ContentType = "application/json";
        Assert.Contains("multipart/form-data", (await UploadForm.ReadAsync(request, 10, default)).Error!.Message, StringComparison.Ordinal);
    }

    private static Task<(UploadForm? Form, GatewayError? Error)> ReadAsync(string text, long fileBytesMax = 1_000)
    {
        var request = new DefaultHttpContext().Request;
        request.ContentType = "multipart/form-data; boundary=b";
        request.Body = new MemoryStream(Encoding.UTF8.GetBytes(text));
        return UploadForm.ReadAsync(request, fileBytesMax, default);
    }
}
