using System.Text.Json;

namespace Gateway.Edge.Tests;

/// <summary>What the project file says reaches the runtime: a misspelt property is no error to anybody, and cost a third of the processor time once.</summary>
public sealed class RuntimeSettingsTests
{
    [Theory]
    [InlineData("System.GC.Server", "False")]
    [InlineData("System.GC.Concurrent", "False")]
    [InlineData("System.GC.Gen0MaxBudget", "8388608")]
    [InlineData("System.Threading.ThreadPool.UnfairSemaphoreSpinLimit", "0")]
    public void The_edge_is_started_with_it(string setting, string value)
    {
        using var file = JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Edge.runtimeconfig.json")));

        var settings = file.RootElement.GetProperty("runtimeOptions").GetProperty("configProperties");

        Assert.Equal(value, settings.GetProperty(setting).ToString());
    }
}
