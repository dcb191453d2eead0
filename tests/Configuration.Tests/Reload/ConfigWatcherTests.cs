using System.Runtime.InteropServices;

namespace Gateway.Configuration.Tests.Reload;

public sealed class ConfigWatcherTests : IDisposable
{
    private static readonly TimeSpan Never = TimeSpan.FromDays(1);
    private static readonly ConfigEnvironment Development = Config.Environment("Development");

    private readonly string folder = Directory.CreateTempSubdirectory("gateway-config-").FullName;

    private string File => Path.Combine(folder, "config.yaml");

    [Fact]
    public void A_change_brings_the_new_configuration_into_force_once()
    {
        using var watcher = Start(Config.Minimal);
        var raised = 0;
        watcher.Changed += _ => Interlocked.Increment(ref raised);

        Assert.False(watcher.CheckNow());
        Write(Config.Minimal + "timezone: Europe/Paris\n");
        watcher.CheckNow();

        Assert.False(watcher.CheckNow());
        Assert.Equal("Europe/Paris", watcher.Current.TimeZone);
        Assert.Equal(1, raised);
    }

    [Fact]
    public void A_reload_that_fails_keeps_the_old_one_and_reports_all_errors_once()
    {
        using var watcher = Start(Config.Minimal);
        var refused = new List<ConfigResult>();
        watcher.Refused += refused.Add;
        var before = watcher.Current;

        Write(Config.Minimal + "timezone: Nowhere\nunpriced_models: perhaps\n");
        watcher.CheckNow();
        watcher.CheckNow();

        Assert.Same(before, watcher.Current);
        Assert.Equal(2, Assert.Single(refused).Errors.Count);
    }

    [Fact]
    public void A_file_that_is_gone_is_a_failed_reload_and_its_return_is_none()
    {
        using var watcher = Start(Config.Minimal);
        var refused = new List<ConfigResult>();
        watcher.Refused += refused.Add;

        System.IO.File.Delete(File);
        watcher.CheckNow();
        Write(Config.Minimal + "timezone: Europe/Rome\n");
        watcher.CheckNow();

        Assert.Single(refused);
        Assert.Equal("Europe/Rome", watcher.Current.TimeZone);
    }

    [Fact]
    public void A_new_price_file_is_read_and_a_wrong_one_keeps_the_old_prices()
    {
        var prices = Path.Combine(folder, "prices.json");
        System.IO.File.WriteAllText(prices, PriceFile("7"));
        using var watcher = Start(Config.Minimal + "general_settings: {price_file: prices.json}\n");
        Assert.Equal(7m, watcher.Current.PriceOf(watcher.Current.Models[0])!.Rates.Input);
        var refused = new List<ConfigResult>();
        watcher.Refused += refused.Add;

        System.IO.File.WriteAllText(prices, PriceFile("-1"));
        watcher.CheckNow();
        Assert.Equal(7m, watcher.Current.PriceOf(watcher.Current.Models[0])!.Rates.Input);
        Assert.Contains("prices[0].input", Assert.Single(refused).Errors[0].Message, StringComparison.Ordinal);

        System.IO.File.WriteAllText(prices, PriceFile("8"));
        watcher.CheckNow();
        Assert.Equal(8m, watcher.Current.PriceOf(watcher.Current.Models[0])!.Rates.Input);

        static string PriceFile(string input) =>
            $$"""{"version":"acme","prices":[{"provider":"openai","model":"gpt-4","input":{{input}},"output":60}]}""";
    }

    [Fact]
    public async Task The_system_tells_of_a_swapped_link_as_Kubernetes_makes_one()
    {
        // config.yaml -> ..data/config.yaml, ..data -> ..1; a swap renames a new link over ..data.
        Make("..1", Config.Minimal);
        Make("..2", Config.Minimal + "timezone: Europe/Oslo\n");
        Directory.CreateSymbolicLink(Path.Combine(folder, "..data"), "..1");
        System.IO.File.CreateSymbolicLink(File, "..data/config.yaml");
        using var watcher = new ConfigWatcher(File, Development, ConfigReader.ReadFile(File, Development).Good(), Never);
        var changed = new TaskCompletionSource<ConfigResult>(TaskCreationOptions.RunContinuationsAsynchronously);
        watcher.Changed += result => changed.TrySetResult(result);

        Directory.CreateSymbolicLink(Path.Combine(folder, "..data_tmp"), "..2");
        Assert.Equal(0, Rename(Path.Combine(folder, "..data_tmp"), Path.Combine(folder, "..data")));

        var result = await changed.Task.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal("Europe/Oslo", result.Good().TimeZone);
    }

    // File.Move follows a link to a folder; rename(2) is what the kubelet calls.
    [DllImport("libc", EntryPoint = "rename")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Rename(string from, string to);

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private ConfigWatcher Start(string yaml)
    {
        Write(yaml);
        return new ConfigWatcher(File, Development, ConfigReader.ReadFile(File, Development).Good(), Never);
    }

    private void Write(string yaml) => System.IO.File.WriteAllText(File, yaml);

    private void Make(string name, string yaml)
    {
        Directory.CreateDirectory(Path.Combine(folder, name));
        System.IO.File.WriteAllText(Path.Combine(folder, name, "config.yaml"), yaml);
    }
}
