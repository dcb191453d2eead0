namespace Gateway.Configuration;

/// <summary>Reads <c>config.yaml</c>.</summary>
public static class ConfigReader
{
    /// <summary>The largest file that is read.</summary>
    public const int FileBytesMax = 8 << 20;

    /// <summary>Reads <paramref name="text"/>; <paramref name="fileName"/> is what messages call it.</summary>
    public static ConfigResult Read(string text, string fileName, ConfigEnvironment environment) => throw new NotImplementedException();

    /// <summary>Reads the file at <paramref name="path"/>; one that is missing, unreadable or too large is an error in the result.</summary>
    public static ConfigResult ReadFile(string path, ConfigEnvironment environment) => throw new NotImplementedException();
}
