using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Auth.Configuration;
using Gateway.Configuration;
using Gateway.Contracts;
using Gateway.ServiceDefaults;
using Gateway.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Gateway.Auth.Tests.Hosting;

/// <summary>How a test wants its Auth.</summary>
internal sealed record AuthSetup
{
    public const string Pepper = "p1:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
    public const string MasterKey = "sk-master-0123456789abcdef";

    public string? Database { get; init; }

    public string Peppers { get; init; } = Pepper;

    public string Environment { get; init; } = "Production";

    /// <summary>A real config.yaml instead of <see cref="Declared"/>.</summary>
    public string? ConfigFile { get; init; }

    public DeclaredAccess Declared { get; init; } = new() { MasterKey = new Secret(MasterKey) };

    /// <summary>Where Ledger is; nobody listens there by default.</summary>
    public string Ledger { get; init; } = "http://127.0.0.1:9";
}

/// <summary>An answer: its status and its JSON.</summary>
internal sealed record Answer(HttpStatusCode Status, JsonNode Json)
{
    public string? ErrorCode => (string?)Json["error"]?["code"];

    public Answer Ok()
    {
        Assert.True(Status == HttpStatusCode.OK, $"{(int)Status}: {Json.ToJsonString()}");
        return this;
    }

    public Answer Refused(int status, string code)
    {
        Assert.True((int)Status == status && ErrorCode == code, $"{(int)Status}: {Json.ToJsonString()}");
        return this;
    }
}

/// <summary>A real Auth on a free port over a real PostgreSQL, and the calls that an edge makes.</summary>
internal sealed class AuthHost : IAsyncDisposable
{
    private const string Secret = "secret-between-services";
    private readonly WebApplication app;

    private AuthHost(WebApplication app, string database, DeclaredAccessSource declared, ConcurrentQueue<string> log)
    {
        (this.app, Database, Declared, Log) = (app, database, declared, log);
        Client = new HttpClient { BaseAddress = new Uri(app.Urls.First()), Timeout = TimeSpan.FromSeconds(30) };
    }

    public static AccessSnapshot Admin { get; } = new() { KeyId = Auth.Keys.MasterKey.Id, Role = CallerRole.ProxyAdmin };

    public HttpClient Client { get; }

    public string Database { get; }

    public DeclaredAccessSource Declared { get; }

    /// <summary>Everything that was logged, at every level.</summary>
    public ConcurrentQueue<string> Log { get; }

    public IServiceProvider Services => app.Services;

    public static async Task<AuthHost> StartAsync(AuthSetup? setup = null, bool waitUntilReady = true)
    {
        setup ??= new AuthSetup();
        var database = setup.Database ?? await Servers.Shared.NewDatabaseAsync("auth");
        var declared = new DeclaredAccessSource(setup.Declared);
        var log = new ConcurrentQueue<string>();
        var app = Program.Build(
            [
                "--urls=http://127.0.0.1:0", $"--environment={setup.Environment}", $"--ConnectionStrings:auth={database}", $"--Gateway:KeyPepper={setup.Peppers}",
                $"--Gateway:ServiceSecret={Secret}", $"--services:ledger:http:0={setup.Ledger}", $"--Gateway:ConfigFile={setup.ConfigFile}",
                $"--Gateway:MasterKey={AuthSetup.MasterKey}",
            ],
            builder =>
            {
                if (setup.ConfigFile is null)
                {
                    builder.Services.AddSingleton(declared);
                }

                builder.Logging.ClearProviders().AddProvider(new QueueLogger(log)).SetMinimumLevel(LogLevel.Trace);
            });
        await app.StartAsync();
        var host = new AuthHost(app, database, declared, log);
        if (waitUntilReady)
        {
            await host.UntilAsync(async () => (await host.Client.GetAsync("/health/ready")).IsSuccessStatusCode, "Auth is ready");
        }

        return host;
    }

    public Task<Answer> PostAsync(string path, object body, AccessSnapshot? caller = null) => SendAsync(HttpMethod.Post, path, JsonContent.Create(body), caller ?? Admin);

    public Task<Answer> PostTextAsync(string path, string body) =>
        SendAsync(HttpMethod.Post, path, new StringContent(body, System.Text.Encoding.UTF8, "application/json"), Admin);

    public Task<Answer> GetAsync(string path, AccessSnapshot? caller = null) => SendAsync(HttpMethod.Get, path, null, caller ?? Admin);

    public async Task<string> NewKeyAsync(object body) => (string)(await PostAsync("/key/generate", body)).Ok().Json["key"]!;

    public async Task<(HttpStatusCode Status, AccessSnapshot? Snapshot)> ResolveAsync(string key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/internal/keys/resolve") { Content = JsonContent.Create(new ResolveKey(key), ContractsJson.Default.ResolveKey) };
        request.Headers.Add(ServiceHeaders.Secret, Secret);
        using var response = await Client.SendAsync(request);
        return (response.StatusCode, response.IsSuccessStatusCode ? await response.Content.ReadFromJsonAsync(ContractsJson.Default.AccessSnapshot) : null);
    }

    public async Task<AccessSnapshot> SnapshotAsync(string key)
    {
        var (status, snapshot) = await ResolveAsync(key);
        Assert.Equal(HttpStatusCode.OK, status);
        return snapshot!;
    }

    /// <summary>The change stream, line by line, until the test stops reading.</summary>
    public async IAsyncEnumerable<AccessChange> ChangesAsync(long after, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/internal/access/changes?after={after}");
        request.Headers.Add(ServiceHeaders.Secret, Secret);
        using var response = await Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
        response.EnsureSuccessStatusCode();
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(cancellation));
        while (await reader.ReadLineAsync(cancellation) is { } line)
        {
            yield return JsonSerializer.Deserialize(line, ContractsJson.Default.AccessChange)!;
        }
    }

    public async Task<HttpResponseMessage> RawAsync(HttpMethod method, string path, bool withSecret, AccessSnapshot? caller)
    {
        using var request = new HttpRequestMessage(method, path);
        if (withSecret)
        {
            request.Headers.Add(ServiceHeaders.Secret, Secret);
        }

        if (caller is not null)
        {
            request.Headers.Add(ServiceHeaders.Caller, CallerIdentity.ToHeader(caller));
        }

        return await Client.SendAsync(request);
    }

    public async Task<T> SqlAsync<T>(string sql)
    {
        await using var connection = new NpgsqlConnection(Database + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return (T)(await command.ExecuteScalarAsync() ?? throw new InvalidOperationException("no row"));
    }

    /// <summary>Every row of every table as text: what a thief of the database would have.</summary>
    public async Task<string> DumpAsync()
    {
        var tables = await SqlAsync<string[]>("select array_agg(tablename::text) from pg_tables where schemaname = 'public'");
        var text = new System.Text.StringBuilder();
        foreach (var table in tables)
        {
            text.AppendLine(await SqlAsync<string>($"select coalesce(string_agg(row_to_json(t)::text, chr(10)), '') from \"{table}\" t"));
        }

        return text.ToString();
    }

    public async Task UntilAsync(Func<Task<bool>> condition, string what, int secondsMax = 20)
    {
        for (var started = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(secondsMax); await Task.Delay(10))
        {
            if (await condition())
            {
                return;
            }
        }

        Assert.Fail($"Waited {secondsMax} s and still not: {what}. Log: {string.Join('\n', Log.Where(line => line.StartsWith("Warning", StringComparison.Ordinal) || line.StartsWith("Error", StringComparison.Ordinal)).TakeLast(10))}");
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await app.DisposeAsync();
    }

    private async Task<Answer> SendAsync(HttpMethod method, string path, HttpContent? content, AccessSnapshot caller)
    {
        using var request = new HttpRequestMessage(method, path) { Content = content };
        request.Headers.Add(ServiceHeaders.Secret, Secret);
        request.Headers.Add(ServiceHeaders.Caller, CallerIdentity.ToHeader(caller));
        using var response = await Client.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        return new Answer(response.StatusCode, JsonNode.Parse(text)!);
    }

    private sealed class QueueLogger(ConcurrentQueue<string> lines) : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public void Dispose()
        {
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull
        {
            lines.Enqueue($"Scope {state}");
            return null;
        }

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            lines.Enqueue($"{logLevel} {formatter(state, exception)} {exception}");
    }
}

/// <summary>One Auth for the tests of a class that only add to it.</summary>
public sealed class SharedAuth : IAsyncLifetime
{
    internal AuthHost Host { get; private set; } = null!;

    public async Task InitializeAsync() => Host = await AuthHost.StartAsync();

    public async Task DisposeAsync() => await Host.DisposeAsync();
}
