using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;

namespace Gateway.SampleProvider.Tests;

/// <summary>The real sample provider on a free port of this process, and a plain client of it.</summary>
public sealed class SampleServer : IAsyncLifetime
{
    private WebApplication? app;

    public string Url { get; private set; } = "";

    // Leaving a stream closes its connection at once; by default the client would read on for two seconds to save it.
    public HttpClient Client { get; } =
        new(new SocketsHttpHandler { ResponseDrainTimeout = TimeSpan.Zero }) { Timeout = TimeSpan.FromSeconds(20) };

    public async Task InitializeAsync()
    {
        app = SampleProviderApp.Build(["--urls", "http://127.0.0.1:0"]);
        await app.StartAsync();
        Url = app.Urls.First();
        Client.BaseAddress = new(Url);
    }

    public async Task DisposeAsync()
    {
        Client.Dispose();
        await app!.DisposeAsync();
    }

    public Task<HttpResponseMessage> Post(string path, string json, params ReadOnlySpan<(string Name, string Value)> headers)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Content = new ByteArrayContent(Encoding.UTF8.GetBytes(json)) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } },
        };
        request.Headers.Add("anthropic-version", "2023-06-01");
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    public async Task<JsonElement> PostJson(string path, string json, params (string Name, string Value)[] headers)
    {
        using var response = await Post(path, json, headers);
        return JsonElement.Parse(await response.Content.ReadAsByteArrayAsync());
    }

    /// <summary>The <c>data:</c> lines of a stream, as far as it goes; whether it ended as HTTP wants it to.</summary>
    public async Task<(List<string> Data, bool Whole)> PostStream(string path, string json, params (string Name, string Value)[] headers)
    {
        var data = new List<string>();
        try
        {
            using var response = await Post(path, json, headers);
            using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
            while (await reader.ReadLineAsync() is { } line)
            {
                if (line.StartsWith("data: ", StringComparison.Ordinal))
                {
                    data.Add(line["data: ".Length..]);
                }
            }

            return (data, true);
        }
        catch (Exception cut) when (cut is HttpRequestException or IOException)
        {
            return (data, false);
        }
    }

    public async Task<JsonElement> GetJson(string path)
    {
        using var response = await Client.GetAsync(path);
        return JsonElement.Parse(await response.Content.ReadAsByteArrayAsync());
    }

    public async Task<HttpResponseMessage> UploadForm(string content, string? purpose, string name, params (string Name, string Value)[] fields)
    {
        using var form = new MultipartFormDataContent();
        if (purpose is not null)
        {
            form.Add(new StringContent(purpose), "purpose");
        }

        foreach (var (field, value) in fields)
        {
            form.Add(new StringContent(value), field);
        }

        form.Add(new ByteArrayContent(Encoding.UTF8.GetBytes(content)), "file", name);
        return await Client.PostAsync("/v1/files", form);
    }

    /// <summary>The id of a file that is now there.</summary>
    public async Task<string> Upload(string content, string purpose)
    {
        using var response = await UploadForm(content, purpose, "input.jsonl");
        return JsonElement.Parse(await response.Content.ReadAsByteArrayAsync()).GetProperty("id").GetString()!;
    }

    public async Task<JsonElement> Stats() => JsonElement.Parse(await Client.GetByteArrayAsync("/sample/stats"));

    /// <summary>Asks for the statistics until they say so: what a server notices of a client that left takes a moment.</summary>
    public async Task<JsonElement> WaitForStats(Func<JsonElement, bool> condition)
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (true)
        {
            var stats = await Stats();
            if (condition(stats))
            {
                return stats;
            }

            timeout.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }
}
