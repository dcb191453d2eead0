namespace Aspire.Hosting.ApplicationModel;

/// <summary>The project answers /metrics.</summary>
internal sealed class MetricsAnnotation : IResourceAnnotation;

/// <summary>Arguments and files of a program that need to know the ports: asked for when these are given out.</summary>
internal sealed class ProgramSetupAnnotation(Func<string, IReadOnlyList<string>> prepare) : IResourceAnnotation
{
    /// <summary>Gets the program's own data folder, writes what it needs there, and returns its arguments.</summary>
    public Func<string, IReadOnlyList<string>> Prepare { get; } = prepare;
}
