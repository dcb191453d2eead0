namespace Gateway.Launcher.Running;

/// <summary>One file per secret that was made here, readable by its owner only. A second start finds the same values.</summary>
internal sealed class SecretFiles(string folder)
{
    public string PathOf(string name) => Path.Combine(folder, name);

    /// <summary>The kept value, or a new one that is kept from now on.</summary>
    public string GetOrAdd(string name, Func<string> make)
    {
        var path = PathOf(name);
        if (File.Exists(path) && File.ReadAllText(path).Trim() is { Length: > 0 } kept)
        {
            return kept;
        }

        if (!OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        var value = make();
        // Written beside and moved: a power cut leaves either no file or a whole one.
        var fresh = path + ".new";
        File.Delete(fresh);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using (var stream = new FileStream(fresh, options))
        {
            stream.Write(System.Text.Encoding.UTF8.GetBytes(value + "\n"));
            stream.Flush(flushToDisk: true);
        }

        File.Move(fresh, path, overwrite: true);
        return value;
    }
}
