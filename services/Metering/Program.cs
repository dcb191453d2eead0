using Gateway.Metering.Ingest;
using Gateway.Metering.Reconciliation;
using Gateway.Metering.Reports;
using Gateway.ServiceDefaults;

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults();
builder.AddIngest();
builder.AddReports();

var app = builder.Build();
app.UseProblems();
app.MapDefaultEndpoints();
app.MapReports();
app.MapReconciliation();
app.Run();
