namespace Gateway.Edge.Tests.Credentials;

/// <summary>A folder for one test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("credentials-").FullName;

    /// <summary>One with a file in it.</summary>
    public static TemporaryFolder With(string name, string text)
    {
        var folder = new TemporaryFolder();
        File.WriteAllText(folder.Path(name), text);
        return folder;
    }

    public string Path(string name) => System.IO.Path.Combine(folder, name);

    public void Dispose() => Directory.Delete(folder, recursive: true);
}
