using Gateway.AppHost;
using Microsoft.Extensions.Configuration;

// `check FILE` ends here, and so does a start with a configuration that has errors: it says all of them at once.
var config = ConfigFile.Check(args);
if (config.ExitCode is { } exitCode)
{
    return exitCode;
}

var builder = DistributedApplication.CreateBuilder(args);
var replicas = builder.Configuration.GetValue("replicas", 1);
var port = builder.Configuration.GetValue("port", 4000);
var data = Path.GetFullPath(builder.Configuration["data"] ?? Path.Combine(builder.AppHostDirectory, "..", ".data"));
builder.Configuration["data"] = data;
builder.Configuration["Launcher:FirstCall"] = config.FirstCall(port);

// Made once and kept: the services prove themselves to each other with the first, key hashes depend on the second, the third is the admin's.
var serviceSecret = builder.AddParameter("service-secret", Generated(), secret: true, persist: true);
var keyPepper = builder.AddParameter("key-pepper", Generated(), secret: true, persist: true);
var masterKey = builder.AddParameter("master-key", Generated(), secret: true, persist: true);

var redis = builder.AddRedis("redis").WithDataVolume().WithPersistence();
var rabbit = builder.AddRabbitMQ("rabbit").WithDataVolume();
var postgres = builder.AddPostgres("postgres").WithDataVolume();
var authDatabase = postgres.AddDatabase("auth-database", "auth");
var ledgerDatabase = postgres.AddDatabase("ledger-database", "ledger");
var meteringDatabase = postgres.AddDatabase("metering-database", "metering");

var sampleProvider = Service<Projects.SampleProvider>("sample-provider");
var auth = Service<Projects.Auth>("auth").WithReference(authDatabase, "auth").WaitFor(authDatabase);
var ledger = Service<Projects.Ledger>("ledger").WithReference(ledgerDatabase, "ledger").WaitFor(ledgerDatabase).WaitFor(redis).WaitFor(rabbit);
var metering = Service<Projects.Metering>("metering").WithReference(meteringDatabase, "metering").WaitFor(meteringDatabase).WaitFor(rabbit);
var edge = Service<Projects.Edge>("edge", port)
    .WithExternalHttpEndpoints()
    .WithReplicas(replicas)
    .WaitFor(redis).WaitFor(rabbit).WaitFor(auth).WaitFor(ledger).WaitFor(sampleProvider);

// Who calls whom. Auth asks Ledger what a key has spent; the others ask Auth who a key is.
foreach (var service in new[] { auth, ledger, metering, edge })
{
    service.WithReference(redis).WithReference(rabbit).WithEnvironment("GATEWAY__SERVICESECRET", serviceSecret);
    foreach (var other in new[] { auth, ledger, metering, sampleProvider }.Where(other => other != service))
    {
        service.WithReference(other);
    }
}

auth.WithEnvironment("GATEWAY__KEYPEPPER", keyPepper).WithEnvironment("GATEWAY__MASTERKEY", masterKey);
edge.WithEnvironment("GATEWAY__KEYPEPPER", keyPepper).WithEnvironment("GATEWAY__MASTERKEY", masterKey);

#if USE_ASPIRE
// One of both: a resource belongs to one environment. `--target kubernetes` publishes for the other.
if (builder.Configuration["target"] == "kubernetes")
{
    builder.AddKubernetesEnvironment("kubernetes");
}
else
{
    builder.AddDockerComposeEnvironment("compose");
}
#else
builder.AddPrometheus("prometheus", "Prometheus/alerts.yml", edge, auth, ledger, metering);
#endif

builder.Build().Run();
return Environment.ExitCode;

IResourceBuilder<ProjectResource> Service<TProject>(string name, int? port = null)
    where TProject : IProjectMetadata, new() => builder.AddProject<TProject>(name, launchProfileName: null)
        .WithHttpEndpoint(port: port)
        .WithHttpHealthCheck("/health/ready")
        .WithEnvironment("ASPNETCORE_ENVIRONMENT", builder.ExecutionContext.IsRunMode ? config.EnvironmentName : "Production")
        .WithEnvironment("GATEWAY__CONFIGFILE", builder.ExecutionContext.IsRunMode ? config.Path : "/etc/gateway/config.yaml")
        .WithEnvironment("GATEWAY__DATADIRECTORY", builder.ExecutionContext.IsRunMode ? Path.Combine(data, name) : "/var/lib/gateway");

// No special characters: they stand in headers and addresses.
static GenerateParameterDefault Generated() => new() { MinLength = 40, Special = false };
