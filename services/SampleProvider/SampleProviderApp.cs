using Gateway.SampleProvider.Anthropic;
using Gateway.SampleProvider.Answers;
using Gateway.SampleProvider.Cohere;
using Gateway.SampleProvider.Delivery;
using Gateway.SampleProvider.OpenAi;
using Gateway.SampleProvider.OpenAi.Batches;
using Gateway.SampleProvider.OpenAi.Files;
using Gateway.SampleProvider.Stats;

namespace Gateway.SampleProvider;

/// <summary>The sample provider as a program, or inside a test's process.</summary>
public static class SampleProviderApp
{
    /// <summary>Builds the server. Its addresses come from <c>--urls</c> or <c>ASPNETCORE_URLS</c>; port 0 takes a free one.</summary>
    public static WebApplication Build(string[] args)
    {
        var builder = WebApplication.CreateSlimBuilder(args);

        // Silent for each request: the host would otherwise make an activity and a scope for a log that nobody reads.
        builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.None).AddFilter("Microsoft.Hosting.Lifetime", LogLevel.Information);
        builder.WebHost.ConfigureKestrel(server => server.AddServerHeader = false);

        // Handlers never block, so a request may run where its bytes arrived instead of hopping to another thread.
        builder.WebHost.UseSockets(sockets => sockets.UnsafePreferInlineScheduling = true);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(2));
        builder.Services.ConfigureHttpJsonOptions(json => json.SerializerOptions.TypeInfoResolverChain.Insert(0, StatsJson.Default));
        builder.Services.AddSingleton<RequestStats>().AddSingleton<PreparedReplies>().AddSingleton<ScriptedRoute>();
        builder.Services.AddSingleton<FileStore>().AddSingleton<BatchStore>();
        Tokens.Load();

        var app = builder.Build();
        app.MapSurface(new ChatCompletions());
        app.MapSurface(new Completions());
        app.MapSurface(new Responses());
        app.MapSurface(new Embeddings());
        app.MapSurface(new Moderations());
        app.MapSurface(new Images());
        app.MapSurface(new Speech());
        app.MapSurface(new Transcriptions("/v1/audio/transcriptions"));
        app.MapSurface(new Transcriptions("/v1/audio/translations"));
        app.MapSurface(new Messages());
        app.MapSurface(new CountTokens());
        app.MapSurface(new CohereChat());
        app.MapSurface(new CohereEmbed());
        app.MapSurface(new CohereRerank("/v2/rerank"));
        app.MapSurface(new CohereRerank("/v1/rerank"));
        app.MapModels();
        app.MapFilesAndBatches();
        app.MapStats();
        app.MapGet("/health/live", () => TypedResults.Text("Healthy"));
        app.MapGet("/health/ready", () => TypedResults.Text("Healthy"));
        return app;
    }

    private static void MapSurface(this WebApplication app, Surface surface)
    {
        var route = app.Services.GetRequiredService<ScriptedRoute>();
        app.MapPost(surface.Path, context => route.Answer(context, surface));
    }

    private static void MapModels(this WebApplication app)
    {
        var route = app.Services.GetRequiredService<ScriptedRoute>();
        app.MapGet("/v1/models", context => route.Answer(context, Models.For(context.Request)));
    }
}
