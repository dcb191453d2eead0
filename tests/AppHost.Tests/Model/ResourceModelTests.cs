using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Gateway.AppHost.Tests.Running;
using Gateway.Launcher.Running;
using Gateway.Launcher.Servers;
using Microsoft.Extensions.Configuration;

namespace Gateway.AppHost.Tests.Model;

/// <summary>The described cluster, and what each process is told of it: the variables are those of Aspire.</summary>
public sealed class ResourceModelTests
{
    [Fact]
    public async Task A_service_gets_its_address_its_name_and_its_references_as_Aspire_gives_them()
    {
        var plan = await PlanAsync(builder =>
        {
            var secret = builder.AddParameter("service-secret", new GenerateParameterDefault { MinLength = 30, Special = false }, secret: true, persist: true);
            var redis = builder.AddRedis("redis");
            var database = builder.AddPostgres("postgres").AddDatabase("auth-database", "auth");
            var auth = builder.AddProject<BuiltProject>("auth").WithHttpEndpoint().WithReference(database, "auth");
            builder.AddProject<BuiltProject>("sample-provider").WithHttpEndpoint().WithReference(redis).WithReference(auth)
                .WithEnvironment("GATEWAY__SERVICESECRET", secret).WithEnvironment("PLAIN", "text").WithEnvironment("AUTH_URL", auth.GetEndpoint("http"));
        });

        var auth = plan.Unit("auth");
        Assert.Equal($"http://localhost:{auth.Port}", auth.Variable("ASPNETCORE_URLS"));
        Assert.EndsWith(";Database=auth", auth.Variable("ConnectionStrings__auth"), StringComparison.Ordinal);
        Assert.Equal("auth", auth.Variable("OTEL_SERVICE_NAME"));
        Assert.Equal("service.instance.id=auth", auth.Variable("OTEL_RESOURCE_ATTRIBUTES"));
        Assert.Equal("Development", auth.Variable("ASPNETCORE_ENVIRONMENT"));
        Assert.Equal("Development", auth.Variable("DOTNET_ENVIRONMENT"));

        var sample = plan.Unit("sample-provider");
        Assert.Equal($"http://localhost:{auth.Port}", sample.Variable("services__auth__http__0"));
        Assert.Equal($"http://localhost:{auth.Port}", sample.Variable("AUTH_HTTP"));
        Assert.Equal($"http://localhost:{auth.Port}", sample.Variable("AUTH_URL"));
        Assert.StartsWith($"localhost:{plan.Unit("redis").Port},password=", sample.Variable("ConnectionStrings__redis"), StringComparison.Ordinal);
        Assert.Null(sample.Variable("ConnectionStrings__auth"));
        Assert.True(sample.Variable("GATEWAY__SERVICESECRET")!.Length >= 30);
        Assert.Equal("text", sample.Variable("PLAIN"));
    }

    [Fact]
    public async Task Replicas_have_ports_and_names_of_their_own_behind_one_port_and_share_a_data_directory()
    {
        var port = FreePort.Take();
        var plan = await PlanAsync(builder => builder.AddProject<BuiltProject>("edge").WithHttpEndpoint(port: port).WithReplicas(3)
            .WithEnvironment("GATEWAY__DATADIRECTORY", "/data/edge"));

        Assert.Equal(["edge-1", "edge-2", "edge-3"], plan.Units.Select(unit => unit.Name));
        Assert.Equal(3, plan.Units.Select(unit => unit.Port).Append(port).Distinct().Count() - 1);
        // Each edge takes a folder of its own in it, and what one left that is not started again is found by the others.
        Assert.Equal(["/data/edge", "/data/edge", "/data/edge"], plan.Units.Select(unit => unit.Variable("GATEWAY__DATADIRECTORY")));
        Assert.Equal("service.instance.id=edge-2", plan.Unit("edge-2").Variable("OTEL_RESOURCE_ATTRIBUTES"));
        Assert.Equal(port, Assert.Single(plan.SharedPorts).Port);
    }

    [Fact]
    public async Task With_one_replica_nothing_stands_between_the_client_and_the_edge()
    {
        var port = FreePort.Take();
        var plan = await PlanAsync(builder => builder.AddProject<BuiltProject>("edge").WithHttpEndpoint(port: port).WithReplicas(1));
        Assert.Equal($"http://localhost:{port}", plan.Unit("edge").Variable("ASPNETCORE_URLS"));
        Assert.Empty(plan.SharedPorts);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Only_what_teams_call_listens_to_other_machines_and_only_when_asked(int replicas)
    {
        var port = FreePort.Take();
        void Describe(IDistributedApplicationBuilder builder)
        {
            builder.AddProject<BuiltProject>("auth").WithHttpEndpoint();
            builder.AddProject<BuiltProject>("edge").WithHttpEndpoint(port: port).WithExternalHttpEndpoints().WithReplicas(replicas);
        }

        var asked = await PlanAsync(Describe, ("public", "true"));
        Assert.StartsWith("http://localhost:", asked.Unit("auth").Variable("ASPNETCORE_URLS"), StringComparison.Ordinal);
        if (replicas == 1)
        {
            Assert.Equal($"http://*:{port}", asked.Unit("edge").Variable("ASPNETCORE_URLS"));
            Assert.Equal($"http://localhost:{port}", (await PlanAsync(Describe)).Unit("edge").Variable("ASPNETCORE_URLS"));
        }
        else
        {
            Assert.All(["edge-1", "edge-2"], name => Assert.StartsWith("http://localhost:", asked.Unit(name).Variable("ASPNETCORE_URLS"), StringComparison.Ordinal));
            Assert.True(Assert.Single(asked.SharedPorts).IsPublic);
            Assert.False(Assert.Single((await PlanAsync(Describe)).SharedPorts).IsPublic);
        }
    }

    [Fact]
    public async Task A_parameter_is_taken_from_the_configuration_before_one_is_made()
    {
        var plan = await PlanAsync(
            builder =>
            {
                var key = builder.AddParameter("master-key", new GenerateParameterDefault(), secret: true, persist: true);
                builder.AddProject<BuiltProject>("edge").WithHttpEndpoint().WithEnvironment("GATEWAY__MASTERKEY", key);
            },
            ("Parameters:master_key", "given"));
        Assert.Equal("given", plan.Unit("edge").Variable("GATEWAY__MASTERKEY"));
    }

    [Fact]
    public async Task A_parameter_without_a_value_names_the_variable_to_set()
    {
        var error = await Assert.ThrowsAsync<LaunchException>(() => PlanAsync(builder => builder.AddParameter("api-key", secret: true)));
        Assert.Contains("Parameters__api_key", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_port_in_use_is_an_error_that_names_the_port_and_the_option()
    {
        using var taken = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Any, 0);
        taken.Start();
        var port = ((System.Net.IPEndPoint)taken.LocalEndpoint).Port;
        var error = await Assert.ThrowsAsync<LaunchException>(() =>
            PlanAsync(builder => builder.AddProject<BuiltProject>("edge").WithHttpEndpoint(port: port).WithExternalHttpEndpoints()));
        Assert.Contains($"{port}", error.Message, StringComparison.Ordinal);
        Assert.Contains("--port", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Two_resources_of_one_name_are_refused_as_Aspire_does()
    {
        var builder = DistributedApplication.CreateBuilder([]);
        builder.AddRedis("auth");
        Assert.Throws<InvalidOperationException>(() => builder.AddProject<BuiltProject>("Auth"));
    }

    [Fact]
    public void A_project_that_is_not_built_says_how_to_build_it()
    {
        var error = Assert.Throws<LaunchException>(() => ProjectOutput.Find("/nowhere/Edge/Edge.csproj"));
        Assert.Contains("dotnet build", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_made_password_has_the_wanted_length_and_kinds()
    {
        var value = new GenerateParameterDefault { MinLength = 40, Special = false, MinNumeric = 5 }.GetDefaultValue();
        Assert.Equal(40, value.Length);
        Assert.All(value, letter => Assert.True(char.IsAsciiLetterOrDigit(letter)));
        Assert.True(value.Count(char.IsAsciiDigit) >= 5);
    }

    private static async Task<Plan> PlanAsync(Action<IDistributedApplicationBuilder> describe, params (string Key, string Value)[] settings)
    {
        var builder = new DistributedApplicationBuilder([]);
        builder.Configuration.AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Key, (string?)setting.Value)));
        describe(builder);
        using var data = DataFolder.Open(Fake.Folder());
        var choice = new ServerChoice(builder.Configuration, data, new Machine(), Fake.Log());
        var plan = await ClusterPlan.MakeAsync(builder, data, choice, new ProcessEnvironment("Development"), default);
        return new Plan(plan.Units, plan.SharedPorts);
    }

    private sealed record Plan(IReadOnlyList<RunUnit> Units, IReadOnlyList<SharedPort> SharedPorts)
    {
        public RunUnit Unit(string name) => Units.Single(unit => unit.Name == name);
    }

    /// <summary>Any project that is certainly built: this one.</summary>
    private sealed class BuiltProject : IProjectMetadata
    {
        public string ProjectPath => Path.Combine(Gateway.TestKit.GatewayCluster.Repository, "tests", "AppHost.Tests", "AppHost.Tests.csproj");
    }
}

internal static class RunUnitVariables
{
    public static string? Variable(this RunUnit unit, string name) => unit.Spec!().Environment.GetValueOrDefault(name);
}
