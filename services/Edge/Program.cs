using Gateway.Edge;
using Gateway.Edge.Admin;
using Gateway.Edge.Admission;
using Gateway.Edge.Batches;
using Gateway.Edge.CohereApi;
using Gateway.Edge.Files;
using Gateway.Edge.GeminiApi;
using Gateway.Edge.Operations;
using Gateway.Edge.Messages;
using Gateway.Edge.Models;
using Gateway.Edge.OllamaApi;
using Gateway.Edge.Responses;
using Gateway.Edge.Routing;
using Gateway.Edge.Metering;
using Gateway.ServiceDefaults;

if (SpoolCommand.IsAsked(args))
{
    using var output = new BufferedStream(Console.OpenStandardOutput(), 1 << 16);
    return SpoolCommand.Run(args, output, Console.Error);
}

StartAhead.Read();
var builder = WebApplication.CreateSlimBuilder(args);
builder.AddServiceDefaults();
builder.AddRedisClient("redis", settings => settings.DisableHealthChecks = true);
builder.AddMessaging(endpoints: (_, rabbit) => rabbit.BindUsageQueues());
builder.AddEdgeCore();
builder.AddAdmission();
builder.AddRouting();
builder.AddOperations();
builder.AddFiles();
builder.AddBatches();
builder.AddUsageRecords();
builder.AddAdminForwarding();
builder.AddApiDocs();

var app = builder.Build();
StartAhead.Make(app.Services);
app.UseProblems();
// A model's callers are answered by the flow itself, errors included: nothing else is asked on their way.
var calls = app.MapGroup("");
calls.ShortCircuit();
calls.MapOperations();
calls.MapMessages();
calls.MapResponses();
calls.MapFiles();
calls.MapBatches();
calls.MapOllama();
calls.MapCohere();
calls.MapGemini();
app.MapModels();
app.MapAdminForwarding();
app.MapApiDocs();
app.MapDefaultEndpoints();
app.ObserveEdge();
app.Run();
return 0;
