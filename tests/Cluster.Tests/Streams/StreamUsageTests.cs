using System.IO.Compression;
using System.Text;
using Gateway.Cluster.Tests.Books;
using Gateway.Cluster.Tests.Clusters;
using Gateway.Cluster.Tests.Upstreams;
using Gateway.TestKit.Providers;

namespace Gateway.Cluster.Tests.Streams;

/// <summary>The gateway asks for the usage of a stream, the client gets it when it asked too, and without any it is counted (T-30, T-81).</summary>
[Collection(ScriptedCollection.Name)]
public sealed class StreamUsageTests(ScriptedCluster cluster)
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Usage_is_asked_for_upstream_and_reaches_only_a_caller_who_asked(bool asked)
    {
        var model = ScriptedModels.NewModel();
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);

        await using var stream = await team.StreamAsync(model, withUsage: asked);
        await stream.ToEndAsync();

        Assert.True(stream.IsDone);
        Assert.Equal(string.Concat(ScriptedModels.Pieces), stream.Text);
        Assert.True(OpenAiReplies.WantsUsage(Assert.Single(cluster.Upstream.RequestsOf(model))));
        Assert.Equal(asked, stream.Usage is not null);
        Assert.Equal(asked, stream.Chunks.Any(static chunk => chunk.GetProperty("choices").GetArrayLength() == 0));
        var row = await cluster.Books.RowOfAsync(stream.RequestId);
        Assert.Equal((ScriptedModels.Cost, ScriptedModels.InputTokens, ScriptedModels.OutputTokens, false), (row.Cost, row.Input, row.Output, row.Estimated));
        if (asked)
        {
            Assert.Equal(ScriptedModels.OutputTokens, stream.Usage!.Value.GetProperty("completion_tokens").GetInt64());
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_stream_without_usage_is_counted_and_marked_as_estimated(bool asked)
    {
        var model = ScriptedModels.NewModel();
        cluster.Upstream.Script(model, OpenAiReplies.Pieces(model, "Every ", "budget ", "has ", "an ", "end.").Data(OpenAiReplies.Chunk(model, null, "stop")).Done());
        var (key, userId) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);

        await using var stream = await team.StreamAsync(model, "Hello!", withUsage: asked);
        await stream.ToEndAsync();

        Assert.True(stream.IsDone);
        Assert.Equal(asked, stream.Usage is not null);
        var row = await cluster.Books.RowOfAsync(stream.RequestId);
        Assert.Equal(Outcome.Completed, row.Outcome);
        Assert.True(row.Estimated);
        Assert.Equal(6, row.Output);
        Assert.Equal(row.Cost, (await cluster.Books.AtRestAsync(key.Id, 1, $"user/{userId}")).Window!.Spent);
    }

    // Told twice, told in parts, told in a choice, with the last word, as a running count: 10 tokens were read and 25 written.
    [Theory]
    [InlineData("""{"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":25}}""", """{"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":25}}""")]
    [InlineData("""{"choices":[],"usage":{"prompt_tokens":10}}""", """{"choices":[],"usage":{"completion_tokens":25}}""")]
    [InlineData("""{"choices":[{"index":0,"delta":{},"finish_reason":"stop","usage":{"prompt_tokens":10,"completion_tokens":25}}]}""")]
    [InlineData("""{"choices":[{"index":0,"delta":{"content":""},"finish_reason":null}],"usage":{"prompt_tokens":10,"completion_tokens":3}}""", """{"x_groq":{"usage":{"prompt_tokens":10,"completion_tokens":25}},"choices":[]}""")]
    public async Task However_a_stream_tells_its_usage_it_is_charged_once(params string[] frames)
    {
        var model = ScriptedModels.NewModel();
        var reply = OpenAiReplies.Pieces(model, ScriptedModels.Pieces).Data(OpenAiReplies.Chunk(model, null, "stop"));
        cluster.Upstream.Script(model, frames.Aggregate(reply, static (sent, frame) => sent.Data(frame)).Done());
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);

        await using var stream = await team.StreamAsync(model);
        await stream.ToEndAsync();

        Assert.True(stream.IsDone);
        var row = await cluster.Books.RowOfAsync(stream.RequestId);
        Assert.Equal((ScriptedModels.Cost, 10, 25, false), (row.Cost, row.Input, row.Output, row.Estimated));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_usage_of_nothing_is_none_it_is_counted_and_marked_as_estimated(bool streamed)
    {
        var model = ScriptedModels.NewModel();
        cluster.Upstream.Script(model, streamed
            ? OpenAiReplies.Pieces(model, ScriptedModels.Pieces).Data(OpenAiReplies.Chunk(model, null, "stop")).Data(OpenAiReplies.UsageChunk(model, 0, 0)).Done()
            : OpenAiReplies.Whole(model, string.Concat(ScriptedModels.Pieces), 0, 0));
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);

        Guid id;
        if (streamed)
        {
            await using var stream = await team.StreamAsync(model, withUsage: true);
            await stream.ToEndAsync();
            Assert.Equal(6, stream.Usage!.Value.GetProperty("completion_tokens").GetInt64());
            id = stream.RequestId;
        }
        else
        {
            id = (await team.ChatAsync(model)).RequestId;
        }

        var row = await cluster.Books.RowOfAsync(id);
        Assert.Equal((8, 6, true), (row.Input, row.Output, row.Estimated));
        Assert.Equal((8 * ScriptedModels.InputPrice) + (6 * ScriptedModels.OutputPrice), row.Cost);
    }

    [Theory]
    [InlineData("gzip", false)]
    [InlineData("gzip", true)]
    [InlineData("br", false)]
    public async Task T81_A_compressed_reply_is_read_and_the_client_can_read_it_too(string encoding, bool streamed)
    {
        var model = ScriptedModels.NewModel();
        var text = streamed
            ? $"data: {OpenAiReplies.Chunk(model, "Packed.")}\n\ndata: {OpenAiReplies.Chunk(model, null, "stop")}\n\ndata: {OpenAiReplies.UsageChunk(model, 10, 25)}\n\ndata: [DONE]\n\n"
            : $$$"""{"id":"chatcmpl-scripted","object":"chat.completion","created":1,"model":"{{{model}}}","choices":[{"index":0,"message":{"role":"assistant","content":"Packed."},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":25,"total_tokens":35}}""";
        cluster.Upstream.Script(model, Reply.Bytes(200, streamed ? "text/event-stream" : "application/json", Pack(encoding, text)).Header("Content-Encoding", encoding));
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);

        Guid id;
        if (streamed)
        {
            await using var stream = await team.StreamAsync(model);
            await stream.ToEndAsync();
            Assert.Equal(("Packed.", true), (stream.Text, stream.IsDone));
            id = stream.RequestId;
        }
        else
        {
            var answer = await team.ChatAsync(model);
            Assert.Equal("Packed.", answer.Text);
            id = answer.RequestId;
        }

        var row = await cluster.Books.RowOfAsync(id);
        Assert.Equal((ScriptedModels.Cost, false), (row.Cost, row.Estimated));
    }

    private static byte[] Pack(string encoding, string text)
    {
        using var packed = new MemoryStream();
        using (Stream packer = encoding == "gzip" ? new GZipStream(packed, CompressionLevel.Fastest) : new BrotliStream(packed, CompressionLevel.Fastest))
        {
            packer.Write(Encoding.UTF8.GetBytes(text));
        }

        return packed.ToArray();
    }
}
