using System.Net;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace Gateway.Edge.Operations;

/// <summary>
/// A caller's form on its way through: read as far as the model's name, and on while it is sent. What was read is kept for another try, in
/// memory up to <see cref="MemoryBytesMax"/> and in a file of the system's temporary folder beyond it, which is gone when the request is.
/// </summary>
internal sealed class FormBody : IDisposable
{
    private const int MemoryBytesMax = 256 * 1024;

    /// <summary>How far the model's name is looked for when the path names it already.</summary>
    private const int LookaheadBytes = 1 << 20;

    private readonly SemaphoreSlim one = new(1);
    private readonly FileBufferingReadStream stream;
    private readonly FormScanner scanner;
    private readonly string boundary;
    private readonly long? length;
    private readonly long bytesMax;
    private long scannedTo;
    private Content? sending;

    private FormBody(HttpRequest request, string boundary, long bytesMax)
    {
        stream = new FileBufferingReadStream(request.Body, MemoryBytesMax, bytesMax, Path.GetTempPath());
        scanner = new FormScanner(boundary);
        this.boundary = boundary;
        this.bytesMax = bytesMax;
        length = request.ContentLength;
        ContentType = request.ContentType!;
    }

    public string ContentType { get; }

    public string? Model => scanner.Model;

    /// <summary>What is wrong with it; may be found while it is sent.</summary>
    public GatewayError? Problem { get; private set; }

    /// <summary>Bytes of the file: all of them once it was sent, before that at most as many as the body has.</summary>
    public long FileBytes => scanner.Ended ? scanner.FileBytes : Math.Max(scanner.FileBytes, length ?? bytesMax);

    /// <summary>The form of a request; null when it is none.</summary>
    public static FormBody? Of(HttpRequest request, long bytesMax) =>
        MediaTypeHeaderValue.TryParse(request.ContentType, out var type)
        && type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase)
        && HeaderUtilities.RemoveQuotes(type.Boundary) is { Length: > 0 and <= 200 } boundary
            ? new FormBody(request, boundary.ToString(), bytesMax)
            : null;

    /// <summary>Reads as far as the model's name, or to the end.</summary>
    public async ValueTask<GatewayError?> ReadHeadAsync(bool modelIsGiven, CancellationToken cancellation)
    {
        if (length > bytesMax)
        {
            return GatewayError.TooLarge(bytesMax);
        }

        var buffer = new byte[16 * 1024];
        long at = 0;
        int read;
        while (scanner.Model is null && Problem is null && !scanner.Ended && !(modelIsGiven && scannedTo > LookaheadBytes))
        {
            if ((read = await ReadAsync(at, buffer, cancellation)) == 0)
            {
                break;
            }

            at += read;
        }

        scanner.ModelIsGiven = modelIsGiven;
        return Problem;
    }

    /// <summary>The form with another model, to be sent.</summary>
    public HttpContent With(string model) => sending = new Content(this, System.Text.Encoding.UTF8.GetBytes(model));

    public void Dispose() => _ = DisposeAsync();

    // A call that was given up may still be reading: its buffer is not taken away from under it. The read ends with the request.
    private async Task DisposeAsync()
    {
        sending = null;
        await one.WaitAsync();
        await stream.DisposeAsync();
    }

    /// <summary>Reads the bytes from a place on, and looks at those that were not seen before. A try that was given up may read beside the next one.</summary>
    private async ValueTask<int> ReadAsync(long at, Memory<byte> buffer, CancellationToken cancellation)
    {
        await one.WaitAsync(cancellation);
        try
        {
            stream.Position = at;
            return await ReadHereAsync(at, buffer, cancellation);
        }
        finally
        {
            one.Release();
        }
    }

    private async ValueTask<int> ReadHereAsync(long at, Memory<byte> buffer, CancellationToken cancellation)
    {
        int read;
        try
        {
            read = await stream.ReadAsync(buffer, cancellation);
        }
        catch (IOException)
        {
            Problem = at + buffer.Length > bytesMax ? GatewayError.TooLarge(bytesMax) : new GatewayError(400, "invalid_request", "The request's body broke off.");
            return 0;
        }

        if (at + read > scannedTo)
        {
            scanner.Feed(buffer.Span[(int)(scannedTo - at)..read]);
            scannedTo = at + read;
        }

        Problem ??= scanner.Problem ?? (read == 0 && !scanner.Ended ? new GatewayError(400, "invalid_request", "The form does not end with its boundary.") : null);
        return Problem is null ? read : 0;
    }

    /// <summary>The form as it goes out: as it came, with the provider's name of the model in its place, or before all else where it has none.</summary>
    private sealed class Content : HttpContent
    {
        private readonly FormBody form;
        private readonly long start;
        private readonly long end;
        private readonly byte[] inserted;

        public Content(FormBody form, byte[] model)
        {
            this.form = form;
            (start, end) = form.Model is null ? (0, 0) : (form.scanner.ModelStart, form.scanner.ModelEnd);
            inserted = form.Model is null
                ? [.. System.Text.Encoding.UTF8.GetBytes($"--{form.boundary}\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\n"), .. model, .. "\r\n"u8]
                : model;
            Headers.TryAddWithoutValidation("Content-Type", form.ContentType);
        }

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            var buffer = new byte[32 * 1024];
            long at = 0;
            var replaced = false;
            int read;
            while (form.sending == this && (read = await form.ReadAsync(at, buffer, cancellationToken)) > 0)
            {
                var piece = buffer.AsMemory(0, read);
                if (at < start)
                {
                    await stream.WriteAsync(piece[..(int)Math.Min(read, start - at)], cancellationToken);
                }

                if (!replaced && at + read >= start)
                {
                    replaced = true;
                    await stream.WriteAsync(inserted, cancellationToken);
                }

                if (at + read > end)
                {
                    await stream.WriteAsync(piece[(int)Math.Max(0, end - at)..], cancellationToken);
                }

                at += read;
            }

            if (form.sending != this)
            {
                throw new IOException("The request was given up.");
            }

            if (form.Problem is { } problem)
            {
                // The provider must not take half a form for a whole one: the call is broken off.
                throw new IOException(problem.Message);
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = (form.length ?? 0) - (end - start) + inserted.Length;
            return form.length is not null;
        }
    }
}
