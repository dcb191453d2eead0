using System.Text.Json;
using Gateway.Contracts;

namespace Gateway.Edge.Admission.Budgets;

/// <summary>
/// The file with the budgets that administrators made, as Ledger said last (<c>budgets.json</c> in the data directory, which edges may share): what
/// a start without Ledger goes on with. Written as a whole or not at all; one that cannot be read is as good as none.
/// </summary>
internal sealed class KnownBudgets(EdgeIdentity identity)
{
    /// <summary>Where it is.</summary>
    public string Path { get; } = System.IO.Path.Combine(identity.DataDirectory, "budgets.json");

    /// <summary>What was written last; null when nothing ever was.</summary>
    /// <exception cref="JsonException">The file is damaged.</exception>
    /// <exception cref="IOException">It cannot be read; likewise <see cref="UnauthorizedAccessException"/>.</exception>
    public BudgetDefinition[]? Read() => File.Exists(Path) ? JsonSerializer.Deserialize(File.ReadAllBytes(Path), ContractsJson.Default.BudgetDefinitionArray) : null;

    /// <summary>Replaces what was written before.</summary>
    /// <exception cref="IOException">The disk refuses, and what was there stays; likewise <see cref="UnauthorizedAccessException"/>.</exception>
    public void Write(BudgetDefinition[] definitions)
    {
        Directory.CreateDirectory(identity.DataDirectory);
        var next = $"{Path}.{identity.EdgeId}";
        using (var file = new FileStream(next, FileMode.Create, FileAccess.Write))
        {
            JsonSerializer.Serialize(file, definitions, ContractsJson.Default.BudgetDefinitionArray);
            file.Flush(flushToDisk: true);
        }

        File.Move(next, Path, overwrite: true);
    }
}
