using System.Diagnostics;
using System.Runtime.InteropServices;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Gateway.Launcher.Dashboard;
using Microsoft.Extensions.Configuration;

namespace Gateway.Launcher.Running;

/// <summary>From the start to the end of a cluster on this machine.</summary>
internal static class ClusterHost
{
    private static readonly string[] s_options = ["config", "port", "replicas", "data", "public", "dashboard-port"];

    public static async Task RunAsync(DistributedApplicationBuilder builder, CancellationToken cancellation)
    {
        var started = Stopwatch.GetTimestamp();
        var clock = TimeProvider.System;
        var log = new LogHub(Console.Out, coloured: !Console.IsOutputRedirected && Environment.GetEnvironmentVariable("NO_COLOR") is null, clock);

        // 1. Signals: the first asks to stop, in order; the second ends it at once (the kernel then ends the children).
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
        using var hangup = PosixSignalRegistration.Create(PosixSignal.SIGHUP, OnSignal);

        // 2. The data folder is ours alone from here on; what a crashed launcher left there is ended.
        RefuseUnknownOptions();
        using var data = DataFolder.Open(builder.Configuration["data"] ?? Path.Combine(builder.AppHostDirectory, "..", ".data"));
        foreach (var name in await data.Processes.SweepAsync(stop.Token))
        {
            log.Launcher($"{name} was still running after a crash; it was ended.");
        }

        // 3. Everything is decided before anything starts.
        var environmentName = builder.Configuration["DOTNET_ENVIRONMENT"] ?? builder.Configuration["ASPNETCORE_ENVIRONMENT"] ?? "Development";
        var choice = new ServerChoice(builder.Configuration, data, new Machine(), log);
        var plan = await ClusterPlan.MakeAsync(builder, data, choice, new ProcessEnvironment(environmentName), stop.Token);
        await using var cluster = new Cluster(plan.Units, plan.SharedPorts, log, data.Processes, new RunnerPatience(), clock);
        await using var dashboard = await DashboardServer.StartAsync(builder.Configuration.GetValue<int?>("dashboard-port"), cluster, builder.Resources, log, stop.Token);
        log.Say($"Starting {plan.Units.Count} programs ({environmentName}), data in {data.Root}, dashboard at {dashboard.Url}");

        // 4. Start, say when it is ready, and run until told to stop.
        cluster.Start();
        var ready = SayWhenReadyAsync();
        var told = Task.Delay(Timeout.Infinite, stop.Token);
        if (await Task.WhenAny(told, cluster.Failed) == cluster.Failed && !stop.IsCancellationRequested)
        {
            log.Say($"The gateway could not start.\n{await cluster.Failed}");
            Environment.ExitCode = 1;
            await stop.CancelAsync();
        }

        // 5. Stop, in the order opposite to the start.
        log.Say("Stopping.");
        await ready;
        await cluster.StopAsync();
        log.Say("Stopped.");

        void OnSignal(PosixSignalContext context)
        {
            context.Cancel = true;
            if (stop.IsCancellationRequested)
            {
                Environment.Exit(130);
            }

            stop.Cancel();
        }

        void RefuseUnknownOptions()
        {
            foreach (var name in Environment.GetCommandLineArgs().Skip(1).Where(argument => argument.StartsWith("--", StringComparison.Ordinal)).Select(argument => argument[2..].Split('=')[0]))
            {
                if (!s_options.Contains(name))
                {
                    throw new LaunchException($"Unknown option --{name}. Known: {string.Join(", ", s_options.Select(option => $"--{option}"))}.");
                }
            }
        }

        async Task SayWhenReadyAsync()
        {
            var (resource, endpoint) = builder.Resources
                .Select(resource => (resource, endpoint: resource.Annotations.OfType<EndpointAnnotation>().FirstOrDefault(endpoint => endpoint.IsExternal)))
                .FirstOrDefault(pair => pair.endpoint is not null);
            if (endpoint is null)
            {
                return;
            }

            var path = resource.Annotations.OfType<HttpHealthCheckAnnotation>().FirstOrDefault()?.Path ?? "/";
            try
            {
                // Asked where a client would ask: with several replicas, through the port that they share.
                while (!await HealthProbe.AnswersAsync($"http://127.0.0.1:{endpoint.AllocatedPort}{path}", 200, stop.Token))
                {
                    await Task.Delay(100, stop.Token);
                }
            }
            catch (OperationCanceledException)
            {
                return;
            }

            var masterKey = data.Secrets.PathOf("master-key");
            log.Say($"""
                Gateway ready: {endpoint.Url}
                  after      {Stopwatch.GetElapsedTime(started).TotalSeconds:0.0} s
                  dashboard  {dashboard.Url}
                  master key {(File.Exists(masterKey) ? $"in {masterKey}" : "as given in the configuration")}
                """ + (builder.Configuration["Launcher:FirstCall"] is { Length: > 0 } call ? $"\n  try        {call}" : ""));
        }
    }
}
