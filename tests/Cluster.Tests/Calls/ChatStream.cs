using System.Globalization;
using System.Net.ServerSentEvents;
using System.Text.Json;

namespace Gateway.Cluster.Tests.Calls;

/// <summary>A streamed answer, frame by frame, as the client sees it.</summary>
internal sealed class ChatStream : IAsyncDisposable
{
    private readonly HttpResponseMessage response;
    private readonly CancellationTokenSource leaving;
    private readonly IAsyncEnumerator<SseItem<string>> frames;
    private readonly List<string> seen = [];

    private ChatStream(HttpResponseMessage response, Stream body, CancellationTokenSource leaving)
    {
        this.response = response;
        this.leaving = leaving;
        frames = SseParser.Create(body).EnumerateAsync(leaving.Token).GetAsyncEnumerator(leaving.Token);
    }

    public int Status => (int)response.StatusCode;

    public Guid RequestId => Guid.Parse(response.Headers.GetValues("x-gateway-request-id").Single(), CultureInfo.InvariantCulture);

    /// <summary>The data of every frame so far.</summary>
    public IReadOnlyList<string> Frames => seen;

    /// <summary>Whether the stream ended as OpenAI's do.</summary>
    public bool IsDone => seen is [.., "[DONE]"];

    /// <summary>Whether the connection broke instead of ending.</summary>
    public bool IsBroken { get; private set; }

    /// <summary>The code of the error frame; null when there was none.</summary>
    public string? ErrorCode => seen.Where(static frame => frame.StartsWith("{\"error\"", StringComparison.Ordinal))
        .Select(static frame => JsonElement.Parse(frame).GetProperty("error").GetProperty("code").GetString()).SingleOrDefault();

    /// <summary>All that the model has said.</summary>
    public string Text => string.Concat(Chunks.SelectMany(static chunk => chunk.GetProperty("choices").EnumerateArray())
        .Select(static choice => choice.GetProperty("delta").TryGetProperty("content", out var content) ? content.GetString() : null));

    /// <summary>The frames that are chunks of an answer.</summary>
    public IEnumerable<JsonElement> Chunks => seen.Where(static frame => frame != "[DONE]").Select(static frame => JsonElement.Parse(frame))
        .Where(static frame => frame.TryGetProperty("choices", out _));

    /// <summary>The usage that a frame carried; null when none did.</summary>
    public JsonElement? Usage => Chunks.Where(static chunk => chunk.TryGetProperty("usage", out var usage) && usage.ValueKind == JsonValueKind.Object)
        .Select(static chunk => (JsonElement?)chunk.GetProperty("usage")).LastOrDefault();

    public static async Task<ChatStream> OpenAsync(HttpClient http, HttpRequestMessage request)
    {
        var leaving = new CancellationTokenSource();
        var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, leaving.Token);
        return new ChatStream(response, await response.Content.ReadAsStreamAsync(leaving.Token), leaving);
    }

    /// <summary>The next frame's data; null at the end.</summary>
    public async Task<string?> NextAsync()
    {
        try
        {
            if (await frames.MoveNextAsync())
            {
                seen.Add(frames.Current.Data);
                return frames.Current.Data;
            }
        }
        catch (Exception broken) when (broken is HttpRequestException or IOException)
        {
            IsBroken = true;
        }

        return null;
    }

    /// <summary>Reads to the end, however that comes.</summary>
    public async Task<ChatStream> ToEndAsync()
    {
        while (await NextAsync() is not null)
        {
        }

        return this;
    }

    /// <summary>The client leaves: its connection is closed at once.</summary>
    public async ValueTask DisposeAsync()
    {
        await leaving.CancelAsync();
        response.Dispose();
        leaving.Dispose();
    }
}
