namespace Gateway.Launcher.Servers;

/// <summary>Finds the programs of this machine.</summary>
public static class Programs
{
    // A minimal PATH (cron, a service manager) has no sbin folder, and Debian keeps PostgreSQL's programs out of PATH.
    private static readonly string[] s_besidePath = ["/usr/local/bin", "/usr/local/sbin", "/usr/bin", "/usr/sbin", "/bin", "/sbin", "/opt/homebrew/bin"];

    /// <summary>Full path of the program, or null.</summary>
    /// <param name="name">Its name without a folder.</param>
    /// <param name="path">The folders to look in; default the environment's PATH.</param>
    /// <param name="besidePath">Looks in the usual folders too.</param>
    public static string? Find(string name, string? path = null, bool besidePath = true)
    {
        path ??= Environment.GetEnvironmentVariable("PATH") ?? "";
        return path.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Concat(besidePath ? s_besidePath : [])
            .Select(folder => Path.Combine(folder, name))
            .FirstOrDefault(File.Exists);
    }

    /// <summary>Folder with PostgreSQL's programs (initdb, postgres, psql), of the newest version; null when it is not installed.</summary>
    public static string? FindPostgres()
    {
        const string debian = "/usr/lib/postgresql";
        var versions = Directory.Exists(debian) ? Directory.GetDirectories(debian) : [];
        var newest = versions
            .OrderByDescending(folder => int.TryParse(Path.GetFileName(folder), out var version) ? version : 0)
            .Select(folder => Path.Combine(folder, "bin"))
            .FirstOrDefault(folder => File.Exists(Path.Combine(folder, "postgres")) && File.Exists(Path.Combine(folder, "initdb")));
        if (newest is not null)
        {
            return newest;
        }

        return Find("initdb") is { } initdb && Find("postgres") is not null ? Path.GetDirectoryName(initdb) : null;
    }

    /// <summary>RabbitMQ's start script; null when it is not installed.</summary>
    public static string? FindRabbitMq()
    {
        // Debian's script in PATH changes the user and the folders; the one behind it does as it is told.
        const string behind = "/usr/lib/rabbitmq/bin/rabbitmq-server";
        return File.Exists(behind) ? behind : Find("rabbitmq-server");
    }
}
