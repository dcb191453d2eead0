using System.Reflection;

namespace Gateway.Ledger.Leases;

/// <summary>
/// The Lua scripts of the leases, embedded in this assembly. Edge links this file and the scripts: both sides run the same text.
/// </summary>
internal static class LeaseScript
{
    /// <summary>An edge asks for room. Nothing else grants.</summary>
    public static readonly string Acquire = Read("acquire");

    /// <summary>An edge says that it lives and gives back what it does not need.</summary>
    public static readonly string Heartbeat = Read("heartbeat");

    /// <summary>The Redis key of a budget window. The braces are Redis Cluster's hash tag.</summary>
    public static string KeyOf(string windowId) => $"budget:{{{windowId}}}";

    internal static string Read(string name) => Text("prelude") + "\n" + Text(name);

    private static string Text(string name)
    {
        var assembly = Assembly.GetExecutingAssembly();
        var resource = $"Leases.{name}.lua";
        using var stream = assembly.GetManifestResourceStream(resource)
            ?? throw new InvalidOperationException($"The script {resource} is not embedded in {assembly.GetName().Name}.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
