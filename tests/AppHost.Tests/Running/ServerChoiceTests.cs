using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Gateway.Launcher.Running;
using Gateway.Launcher.Servers;
using Microsoft.Extensions.Configuration;

namespace Gateway.AppHost.Tests.Running;

public sealed class ServerChoiceTests
{
    [Fact]
    public async Task A_connection_string_from_outside_comes_first_and_nothing_is_started()
    {
        var (unit, redis) = await ChooseAsync(new Machine(), builder => builder.AddRedis("redis"), ("ConnectionStrings:redis", "10.0.0.1:6380,password=secret"));
        Assert.Null(unit.Spec);
        Assert.Equal("external", unit.Kind);
        Assert.Equal(["10.0.0.1:6380"], unit.Endpoints);
        Assert.Equal("10.0.0.1:6380,password=secret", await redis.GetConnectionStringAsync());
    }

    [Fact]
    public async Task Databases_that_all_live_elsewhere_need_no_server_here()
    {
        PostgresDatabaseResource? auth = null;
        var (unit, _) = await ChooseAsync(
            new Machine(path: "", besidePath: false),
            builder =>
            {
                var postgres = builder.AddPostgres("postgres");
                auth = postgres.AddDatabase("auth-database", "auth").Resource;
                return postgres;
            },
            ("ConnectionStrings:auth", "Host=db;Port=5433;Database=x"));
        Assert.Null(unit.Spec);
        Assert.Equal("Host=db;Port=5433;Database=x", await auth!.GetConnectionStringAsync());
    }

    [Fact]
    public async Task The_program_of_this_machine_comes_next()
    {
        var (unit, redis) = await ChooseAsync(new Machine(), builder => builder.AddRedis("redis"));
        Assert.Equal("redis-server", unit.Kind);
        Assert.StartsWith($"localhost:{unit.Port},password=", await redis.GetConnectionStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Then_a_container_when_the_engine_answers_with_the_password_out_of_sight()
    {
        var bin = FakeDocker(answers: true);
        var (unit, rabbit) = await ChooseAsync(new Machine(bin, besidePath: false), builder => builder.AddRabbitMQ("rabbit"));
        Assert.Equal("container rabbitmq:3.13", unit.Kind);
        await unit.PrepareAsync(default);
        var spec = unit.Spec!();
        Assert.Equal(Path.Combine(bin, "docker"), spec.Program);
        Assert.Contains($"127.0.0.1:{unit.Port}:5672", spec.Arguments);
        Assert.Equal("rabbitmq:3.13", spec.Arguments[^1]);
        var password = new Uri((await rabbit.GetConnectionStringAsync())!).UserInfo.Split(':')[1];
        Assert.DoesNotContain(spec.Arguments, argument => argument.Contains(password, StringComparison.Ordinal));

        // The engine really is run with these arguments; its lines are the unit's lines.
        await using var process = LocalProcess.Start(spec);
        await process.Exited;
        Assert.Contains(process.LastLines, line => line.StartsWith("ran run --rm --name gateway-rabbit-", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Else_an_error_names_the_command_that_installs_it()
    {
        var error = await Assert.ThrowsAsync<LaunchException>(() =>
            ChooseAsync(new Machine(FakeDocker(answers: false), besidePath: false), builder => builder.AddPostgres("postgres")));
        Assert.Contains("PostgreSQL", error.Message, StringComparison.Ordinal);
        Assert.Contains("apt-get install -y redis-server rabbitmq-server postgresql", error.Message, StringComparison.Ordinal);
        Assert.Contains("ConnectionStrings__postgres", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("redis.local:6379,password=p", "redis.local", 6379)]
    [InlineData("amqp://guest:p@broker:5673", "broker", 5673)]
    [InlineData("amqp://guest:p@broker", "broker", 5672)]
    [InlineData("Host=db;Username=u;Password=p", "db", 5432)]
    public void The_address_of_a_connection_string_is_shown_without_its_secrets(string text, string host, int port)
    {
        var address = ExternalAddress.Of(text);
        Assert.Equal((host, port), (address!.Host, address.Port));
    }

    private static async Task<(RunUnit Unit, ServerResource Server)> ChooseAsync<T>(
        Machine machine, Func<IDistributedApplicationBuilder, IResourceBuilder<T>> add, params (string Key, string Value)[] settings)
        where T : ServerResource
    {
        var builder = new DistributedApplicationBuilder([]);
        builder.Configuration.AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Key, (string?)setting.Value)));
        var server = add(builder).Resource;
        using var data = DataFolder.Open(Fake.Folder());
        server.Password!.Set("a-password");
        var unit = await new ServerChoice(builder.Configuration, data, machine, Fake.Log()).ChooseAsync(server, default);
        return (unit, server);
    }

    private static string FakeDocker(bool answers)
    {
        var folder = Fake.Folder();
        var path = Path.Combine(folder, "docker");
        File.WriteAllText(path, $"#!/bin/sh\n[ \"$1\" = info ] && exit {(answers ? 0 : 1)}\necho \"ran $*\"\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return folder;
    }
}
