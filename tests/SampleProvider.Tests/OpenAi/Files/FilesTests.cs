using System.ClientModel;
using System.Net;
using System.Text;
using System.Text.Json;
using Gateway.SampleProvider.OpenAi.Files;
using OpenAI;
using OpenAI.Files;

namespace Gateway.SampleProvider.Tests.OpenAi.Files;

public sealed class FilesTests(SampleServer server) : IClassFixture<SampleServer>
{
    [Fact]
    public async Task The_official_client_uploads_lists_downloads_and_deletes_a_file()
    {
        var client = new OpenAIClient(new ApiKeyCredential("sk-sample"), new() { Endpoint = new(server.Url + "/v1") }).GetOpenAIFileClient();
        var content = """{"custom_id":"a"}""" + "\n\n\r\nÄ\n";
        OpenAIFile uploaded = await client.UploadFileAsync(BinaryData.FromString(content), "lines.jsonl", FileUploadPurpose.Batch);
        OpenAIFile told = await client.GetFileAsync(uploaded.Id);
        OpenAIFileCollection listed = await client.GetFilesAsync(FilePurpose.Batch);
        BinaryData downloaded = await client.DownloadFileAsync(uploaded.Id);
        FileDeletionResult deleted = await client.DeleteFileAsync(uploaded.Id);
        var gone = await Assert.ThrowsAsync<ClientResultException>(() => client.DownloadFileAsync(uploaded.Id));

        Assert.StartsWith("file-", uploaded.Id, StringComparison.Ordinal);
        Assert.Equal("lines.jsonl", told.Filename);
        Assert.Equal(FilePurpose.Batch, told.Purpose);
        Assert.Equal(Encoding.UTF8.GetByteCount(content), told.SizeInBytes);
        Assert.Contains(listed, file => file.Id == uploaded.Id);
        Assert.Equal(content, downloaded.ToString());
        Assert.True(deleted.Deleted);
        Assert.Equal(404, gone.Status);
    }

    [Fact]
    public async Task A_list_comes_in_pages_newest_first_and_can_be_turned_round()
    {
        string[] ids = [await server.Upload("1", "fine-tune"), await server.Upload("2", "fine-tune"), await server.Upload("3", "fine-tune")];
        var first = await server.GetJson("/v1/files?purpose=fine-tune&limit=2");
        var second = await server.GetJson($"/v1/files?purpose=fine-tune&limit=2&after={first.GetProperty("last_id").GetString()}");
        var round = await server.GetJson("/v1/files?purpose=fine-tune&order=asc");

        Assert.Equal([ids[2], ids[1]], Ids(first));
        Assert.True(first.GetProperty("has_more").GetBoolean());
        Assert.Equal([ids[0]], Ids(second));
        Assert.False(second.GetProperty("has_more").GetBoolean());
        Assert.Equal(ids, Ids(round));
    }

    [Theory]
    [InlineData("?limit=0", "limit")]
    [InlineData("?limit=x", "limit")]
    [InlineData("?order=up", "order")]
    [InlineData("?after=file-none", "after")]
    public async Task A_list_that_is_asked_for_wrongly_is_refused(string query, string param)
    {
        var refused = await server.GetJson("/v1/files" + query);

        Assert.Equal(param, refused.GetProperty("error").GetProperty("param").GetString());
    }

    [Theory]
    [InlineData(null, "a.jsonl", "x", "purpose")]
    [InlineData("nothing", "a.jsonl", "x", "'nothing' is not one of")]
    [InlineData("batch", "a.txt", "x", "Must be .jsonl")]
    [InlineData("batch", "a.jsonl", "", "empty")]
    public async Task An_upload_that_the_real_one_refuses_is_refused(string? purpose, string name, string content, string says)
    {
        using var response = await server.UploadForm(content, purpose, name);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains(says, await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_expiry_is_reported_and_is_thirty_days_for_a_batch()
    {
        var batch = await server.GetJson("/v1/files/" + await server.Upload("x", "batch"));
        using var response = await server.UploadForm("x", "user_data", "x.txt", ("expires_after[anchor]", "created_at"), ("expires_after[seconds]", "3600"));
        var given = JsonElement.Parse(await response.Content.ReadAsStringAsync());

        Assert.Equal(30 * 24 * 3600, Lifetime(batch));
        Assert.Equal(3600, Lifetime(given));
    }

    [Fact]
    public async Task A_refused_request_leaves_nothing_behind()
    {
        var id = await server.Upload("kept", "assistants");
        using var delete = new HttpRequestMessage(HttpMethod.Delete, "/v1/files/" + id) { Headers = { { "Authorization", "Bearer sk-invalid" } } };
        using var refused = await server.Client.SendAsync(delete);
        using var scripted = new HttpRequestMessage(HttpMethod.Delete, "/v1/files/" + id) { Headers = { { "x-sample-status", "503" } } };
        using var away = await server.Client.SendAsync(scripted);

        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, away.StatusCode);
        Assert.Equal("kept", await server.Client.GetStringAsync($"/v1/files/{id}/content"));
    }

    [Fact]
    public async Task What_arrived_is_counted_by_its_route()
    {
        var before = await Counted("/v1/files/{id}/content");
        await server.Client.GetStringAsync($"/v1/files/{await server.Upload("x", "assistants")}/content");

        Assert.Equal(before + 1, await Counted("/v1/files/{id}/content"));
    }

    [Fact]
    public void At_either_bound_the_oldest_go()
    {
        var byCount = new Shelf<string>(2, long.MaxValue, static text => text.Length);
        var byWeight = new Shelf<string>(100, 10, static text => text.Length);
        foreach (var text in (string[])["one", "four", "seven"])
        {
            byCount.Add(text, text);
            byWeight.Add(text, text);
        }

        Assert.Equal(["four", "seven"], byCount.All());
        Assert.Equal(["four", "seven"], [.. byWeight.All().Order(StringComparer.Ordinal)]);
        Assert.True(byWeight.Remove("seven"));
        byWeight.Add("six---", "six---");
        Assert.Equal(["four", "six---"], byWeight.All());
    }

    private async Task<long> Counted(string path) =>
        (await server.Stats()).GetProperty("by_path").TryGetProperty(path, out var count) ? count.GetInt64() : 0;

    private static long Lifetime(JsonElement file) => file.GetProperty("expires_at").GetInt64() - file.GetProperty("created_at").GetInt64();

    private static string[] Ids(JsonElement list) => [.. list.GetProperty("data").EnumerateArray().Select(file => file.GetProperty("id").GetString()!)];
}
