using System.Diagnostics;

namespace Gateway.Cluster.Tests.Calls;

/// <summary>A program of this machine, as a person would type it: python3, curl.</summary>
internal static class LocalProgram
{
    public static async Task<(int ExitCode, string Output, string Errors)> RunAsync(
        string program, string[] arguments, string input = "", IReadOnlyDictionary<string, string?>? environment = null)
    {
        using var process = new Process
        {
            StartInfo = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true },
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string?>())
        {
            process.StartInfo.Environment[name] = value;
        }

        process.Start();
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        var output = process.StandardOutput.ReadToEndAsync(limit.Token);
        var errors = process.StandardError.ReadToEndAsync(limit.Token);
        await process.WaitForExitAsync(limit.Token);
        return (process.ExitCode, await output, await errors);
    }
}
