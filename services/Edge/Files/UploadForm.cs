using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace Gateway.Edge.Files;

/// <summary>
/// The form of <c>POST /v1/files</c>, read to its end: its few fields, and the file in the system's temporary folder, where it is gone when
/// the request is.
/// </summary>
internal sealed class UploadForm : IAsyncDisposable
{
    private const int FieldBytesMax = 8 * 1024;
    private const int FieldsMax = 32;

    private readonly Dictionary<string, string> fields = new(StringComparer.Ordinal);

    private UploadForm()
    {
    }

    /// <summary>The file; null when there was none.</summary>
    public FileStream? File { get; private set; }

    /// <summary>The name that the client gives it.</summary>
    public string Filename { get; private set; } = "file";

    /// <summary>The client's word for what it holds.</summary>
    public string? ContentType { get; private set; }

    /// <summary>A field's text; null when it was not sent.</summary>
    public string? this[string name] => fields.GetValueOrDefault(name);

    /// <summary>The fields that say when the file is to be deleted, for the provider.</summary>
    public IEnumerable<KeyValuePair<string, string>> Expiry => fields.Where(static pair => pair.Key.StartsWith("expires_after", StringComparison.Ordinal));

    /// <summary>A temporary file that is gone when it is closed.</summary>
    public static FileStream NewFile()
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Share = FileShare.None, Options = FileOptions.Asynchronous | FileOptions.DeleteOnClose,
        };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        var file = new FileStream(Path.Combine(Path.GetTempPath(), $"gateway-{Guid.NewGuid():N}"), options);
        if (!OperatingSystem.IsWindows())
        {
            // Without a name it is gone with the process, however that ends.
            System.IO.File.Delete(file.Name);
        }

        return file;
    }

    /// <summary>Reads a request's form.</summary>
    public static async Task<(UploadForm? Form, GatewayError? Error)> ReadAsync(HttpRequest request, long fileBytesMax, CancellationToken cancellation)
    {
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type) || !type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase)
            || HeaderUtilities.RemoveQuotes(type.Boundary) is not { Length: > 0 and <= 200 } boundary)
        {
            return (null, new GatewayError(400, "invalid_request", "Send the file as a form (Content-Type: multipart/form-data) with the fields purpose and file."));
        }

        if (request.ContentLength > fileBytesMax + (FieldsMax * FieldBytesMax))
        {
            return (null, TooLarge(fileBytesMax));
        }

        var form = new UploadForm();
        try
        {
            if (await form.ReadAsync(new MultipartReader(boundary.ToString(), request.Body), fileBytesMax, cancellation) is { } wrong)
            {
                await form.DisposeAsync();
                return (null, wrong);
            }

            return (form, null);
        }
        catch (Exception broken) when (broken is InvalidDataException or IOException && !cancellation.IsCancellationRequested)
        {
            await form.DisposeAsync();
            return (null, new GatewayError(400, "invalid_request", "The form is broken, or broke off before its end."));
        }
        catch
        {
            await form.DisposeAsync();
            throw;
        }
    }

    public ValueTask DisposeAsync() => File?.DisposeAsync() ?? default;

    private async Task<GatewayError?> ReadAsync(MultipartReader reader, long fileBytesMax, CancellationToken cancellation)
    {
        for (var parts = 0; await reader.ReadNextSectionAsync(cancellation) is { } section; parts++)
        {
            if (parts == FieldsMax)
            {
                return Wrong($"The form has more than {FieldsMax} parts.");
            }

            if (!ContentDispositionHeaderValue.TryParse(section.ContentDisposition, out var disposition))
            {
                continue;
            }

            var name = HeaderUtilities.RemoveQuotes(disposition.Name).ToString();
            if (name is "api_key" or "api_base" or "base_url")
            {
                return new GatewayError(400, "invalid_request", "A caller cannot choose the provider's address or credential: leave api_base, base_url and api_key out.", name);
            }

            if (name == "file")
            {
                if (File is not null)
                {
                    return Wrong("The form has two files: send one.");
                }

                Filename = NameOf(disposition) ?? Filename;
                ContentType = section.ContentType;
                File = NewFile();
                if (!await CopyAsync(section.Body, File, fileBytesMax, cancellation))
                {
                    return TooLarge(fileBytesMax);
                }

                File.Position = 0;
                continue;
            }

            using var text = new MemoryStream();
            if (!await CopyAsync(section.Body, text, FieldBytesMax, cancellation))
            {
                return Wrong($"The field {(name.Length <= 60 ? name : name[..60] + "…")} is longer than {FieldBytesMax} bytes.");
            }

            fields[name] = Encoding.UTF8.GetString(text.GetBuffer(), 0, (int)text.Length);
        }

        return File is null ? new GatewayError(400, "invalid_request", "The form has no file: send it as the field file, with a file name.", "file") : null;
    }

    private static async Task<bool> CopyAsync(Stream from, Stream to, long bytesMax, CancellationToken cancellation)
    {
        var buffer = new byte[32 * 1024];
        long copied = 0;
        int read;
        while ((read = await from.ReadAsync(buffer, cancellation)) > 0)
        {
            copied += read;
            if (copied > bytesMax)
            {
                return false;
            }

            await to.WriteAsync(buffer.AsMemory(0, read), cancellation);
        }

        return true;
    }

    // It stands in a header of the provider's form and in JSON: a name, and not a path.
    private static string? NameOf(ContentDispositionHeaderValue disposition)
    {
        var given = HeaderUtilities.RemoveQuotes(disposition.FileNameStar.HasValue ? disposition.FileNameStar : disposition.FileName).ToString();
        var name = string.Concat(given[(given.LastIndexOfAny(['/', '\\']) + 1)..].Where(static character => !char.IsControl(character) && character != '"'));
        return name.Length == 0 ? null : name.Length <= 255 ? name : name[..255];
    }

    private static GatewayError Wrong(string message) => new(400, "invalid_request", message);

    private static GatewayError TooLarge(long bytesMax) => new(
        413, "request_too_large", string.Create(CultureInfo.InvariantCulture, $"The file is larger than {bytesMax} bytes: send it in parts, or ask for a larger general_settings.max_file_size_mb."));
}
