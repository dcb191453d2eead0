using Aspire.Hosting.ApplicationModel;
using Gateway.Launcher.Servers;
using Microsoft.Extensions.Configuration;

namespace Gateway.Launcher.Running;

/// <summary>
/// What stands behind a server, in this order: a connection string from the configuration, the program of this machine, a container, or
/// an error that names the command which installs it.
/// </summary>
internal sealed class ServerChoice(IConfiguration configuration, DataFolder data, Machine machine, LogHub log)
{
    private const string InstallAll = "apt-get install -y redis-server rabbitmq-server postgresql";

    /// <summary>Decides, and gives the resource its connection string.</summary>
    public async Task<RunUnit> ChooseAsync(ServerResource resource, CancellationToken cancellation)
    {
        if (resource is PostgresServerResource postgres)
        {
            foreach (var database in postgres.Databases)
            {
                database.External = configuration.GetConnectionString(database.DatabaseName) ?? configuration.GetConnectionString(database.Name);
            }
        }

        if (configuration.GetConnectionString(resource.Name) is { Length: > 0 } given)
        {
            resource.ConnectionString = given;
            return External(resource, given);
        }

        if (resource is PostgresServerResource { Databases: { Count: > 0 } databases } && databases.All(database => database.External is not null))
        {
            return External(resource, databases[0].External!);
        }

        var (server, kind, container) = await ServerAsync(resource, cancellation);
        resource.ConnectionString = server.ConnectionString;
        return new RunUnit(resource.Name, resource, kind)
        {
            PrepareAsync = server.PrepareAsync,
            Spec = () => server.Spec,
            IsHealthyAsync = server.AnswersAsync,
            AfterHealthyAsync = server.AfterStartAsync,
            AfterStopAsync = server.AfterStopAsync,
            Endpoints = [$"localhost:{server.Port}"],
            Port = server.Port,
            Container = container,
            StopLimit = TimeSpan.FromSeconds(20),
        };
    }

    private async Task<(LocalServer Server, string Kind, string? Container)> ServerAsync(ServerResource resource, CancellationToken cancellation)
    {
        var name = resource.Name;
        var folder = data.Of(name);
        var port = PortOf(resource);
        var password = resource.Password!.Value;
        Action<string> onLine = line => log.Line(name, line);
        switch (resource)
        {
            case RedisResource when machine.HasRedis:
                return (new RedisServer(folder, port, password) { OnLine = onLine }, "redis-server", null);
            case RabbitMQServerResource when machine.HasRabbitMq:
                return (new RabbitMqServer(folder, port, password) { OnLine = onLine }, "rabbitmq-server", null);
            case PostgresServerResource postgres when machine.HasPostgres:
                return (new PostgresServer(folder, port, password, Own(postgres)) { OnLine = onLine }, "postgres", null);
            default:
                break;
        }

        if (await machine.FindContainerEngineAsync(cancellation) is not { } engine)
        {
            var (server, package) = resource switch
            {
                RedisResource => ("Redis", "redis-server"),
                RabbitMQServerResource => ("RabbitMQ", "rabbitmq-server"),
                _ => ("PostgreSQL", "postgresql"),
            };
            throw new LaunchException($"{server} is needed and not there: no ConnectionStrings__{name} is set, {package} is not installed, and neither docker nor podman answers.\nInstall the servers with: {InstallAll}");
        }

        var image = resource switch
        {
            RedisResource => ContainerImage.Redis(password),
            RabbitMQServerResource => ContainerImage.RabbitMq(password),
            _ => ContainerImage.Postgres(password, Own((PostgresServerResource)resource)),
        };
        var container = new ContainerServer(name, folder, port, engine, image) { OnLine = onLine };
        return (container, $"container {image.Image}", $"{engine}={container.ContainerName}");
    }

    private static string[] Own(PostgresServerResource postgres) =>
        [.. postgres.Databases.Where(database => database.External is null).Select(database => database.DatabaseName)];

    private static int PortOf(ServerResource resource)
    {
        if (resource.Port is not { } port)
        {
            return FreePort.Take();
        }

        return FreePort.IsFree(port) ? port : throw new LaunchException($"Port {port} of {resource.Name} is in use by another program.");
    }

    private static RunUnit External(ServerResource resource, string connectionString)
    {
        var address = ExternalAddress.Of(connectionString);
        return new RunUnit(resource.Name, resource, "external")
        {
            IsHealthyAsync = address is { } at ? cancellation => at.AcceptsAsync(cancellation) : static _ => Task.FromResult(true),
            Endpoints = address is { } shown ? [$"{shown.Host}:{shown.Port}"] : [],
        };
    }
}
