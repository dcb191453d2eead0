using System.Text;
using Gateway.Edge.Operations;

namespace Gateway.Edge.Tests.Operations;

public sealed class FormScannerTests
{
    private const string Boundary = "----gateway";

    [Fact]
    public void The_model_is_found_wherever_it_stands_in_whatever_pieces_the_form_comes()
    {
        var file = new string('x', 70_000) + "\r\n--" + Boundary[..^1] + " \r\n\r\n name=\"model\"";
        foreach (var form in new[] { Form(Field("model", "whisper-1"), File(file)), Form(File(file), Field("language", "en"), Field("model", "whisper-1")) })
        {
            var random = new Random(7);
            for (var round = 0; round < 200; round++)
            {
                var scanner = Scan(form, () => random.Next(1, round < 5 ? 3 : 5_000));

                Assert.Null(scanner.Problem);
                Assert.True(scanner.Ended);
                Assert.Equal("whisper-1", scanner.Model);
                Assert.Equal("whisper-1", Encoding.UTF8.GetString(form)[(int)scanner.ModelStart..(int)scanner.ModelEnd]);
                Assert.Equal(file.Length, scanner.FileBytes);
            }
        }
    }

    [Theory]
    [InlineData("model", "a", "model", "b")]
    [InlineData("api_base", "http://elsewhere.example", "model", "a")]
    [InlineData("model", "a", "api_key", "sk")]
    public void A_form_that_asks_for_what_no_caller_may_is_refused(string first, string firstValue, string second, string secondValue) =>
        Assert.Equal(400, Scan(Form(Field(first, firstValue), Field(second, secondValue)), () => 7).Problem?.Status);

    [Fact]
    public void A_model_in_a_file_is_no_model() =>
        Assert.Null(Scan(Form("Content-Disposition: form-data; name=\"model\"; filename=\"a\"\r\n\r\nwhisper-1".Replace("name=\"model\"", "name=\"file\"", StringComparison.Ordinal)), () => 9).Model);

    [Fact]
    public void Any_bytes_end_without_an_exception()
    {
        var random = new Random(11);
        var form = Form(Field("model", "whisper-1"), File("sound"));
        for (var round = 0; round < 5_000; round++)
        {
            var broken = form.ToArray();
            for (var changes = random.Next(1, 8); changes > 0; changes--)
            {
                broken[random.Next(broken.Length)] = (byte)random.Next(256);
            }

            var scanner = Scan(broken, () => random.Next(1, 40));
            Assert.True(scanner.ModelEnd <= broken.Length);
        }
    }

    [Fact]
    public void Heads_and_parts_are_bounded()
    {
        Assert.NotNull(Scan(Form(new string('h', 9_000)), () => 1_000).Problem);
        Assert.NotNull(Scan(Form([.. Enumerable.Repeat(Field("x", "y"), 200)]), () => 1_000).Problem);
        Assert.NotNull(Scan(Form(Field("model", new string('m', 9_000))), () => 1_000).Problem);
    }

    private static FormScanner Scan(byte[] form, Func<int> pieceLength)
    {
        var scanner = new FormScanner(Boundary);
        for (var at = 0; at < form.Length;)
        {
            var length = Math.Min(pieceLength(), form.Length - at);
            scanner.Feed(form.AsSpan(at, length));
            at += length;
        }

        return scanner;
    }

    private static byte[] Form(params string[] parts) =>
        Encoding.UTF8.GetBytes(string.Concat(parts.Select(static part => $"--{Boundary}\r\n{part}\r\n")) + $"--{Boundary}--\r\n");

    private static string Field(string name, string value) => $"Content-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}";

    private static string File(string content) => $"Content-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\nContent-Type: audio/wav\r\n\r\n{content}";
}
