using Gateway.Edge;
using Gateway.Edge.Admin;
using Gateway.Edge.Admission;
using Gateway.Edge.Chat;
using Gateway.Edge.Models;
using Gateway.Edge.Routing;
using Gateway.Edge.Metering;
using Gateway.ServiceDefaults;

var builder = WebApplication.CreateSlimBuilder(args);
builder.AddServiceDefaults();
builder.AddRedisClient("redis");
builder.AddMessaging();
builder.AddEdgeCore();
builder.AddAdmission();
builder.AddRouting();
builder.AddChat();
builder.AddUsageRecords();
builder.AddAdminForwarding();

var app = builder.Build();
app.UseProblems();
app.MapChat();
app.MapModels();
app.MapAdminForwarding();
app.MapDefaultEndpoints();
app.ObserveEdge();
app.Run();
