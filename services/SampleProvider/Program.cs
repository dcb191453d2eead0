using Gateway.SampleProvider;

// Requests run on the thread that polls the sockets: a hop to the pool costs more than an answer does. Read once, at the first socket.
const string InlineCompletions = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS";
Environment.SetEnvironmentVariable(InlineCompletions, Environment.GetEnvironmentVariable(InlineCompletions) ?? "1");

await SampleProviderApp.Build(args).RunAsync();
