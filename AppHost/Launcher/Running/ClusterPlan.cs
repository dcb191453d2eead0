using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Gateway.Launcher.Servers;
using Microsoft.Extensions.Configuration;

namespace Gateway.Launcher.Running;

/// <summary>One port before several replicas.</summary>
internal sealed record SharedPort(int Port, bool IsPublic, IReadOnlyList<RunUnit> Replicas);

/// <summary>
/// From the described resources to what runs: values for the parameters, a choice for each server, ports for each endpoint, and then
/// the environment of each process, in which all of that is known. Nothing is started here.
/// </summary>
internal sealed class ClusterPlan
{
    private ClusterPlan(IReadOnlyList<RunUnit> units, IReadOnlyList<SharedPort> sharedPorts)
    {
        Units = units;
        SharedPorts = sharedPorts;
    }

    public IReadOnlyList<RunUnit> Units { get; }

    public IReadOnlyList<SharedPort> SharedPorts { get; }

    public static async Task<ClusterPlan> MakeAsync(
        DistributedApplicationBuilder builder, DataFolder data, ServerChoice choice, ProcessEnvironment environment, CancellationToken cancellation)
    {
        List<RunUnit> units = [];
        List<SharedPort> sharedPorts = [];

        // 1. Values.
        foreach (var parameter in builder.Resources.OfType<ParameterResource>())
        {
            parameter.Set(ValueOf(parameter, builder.Configuration, data.Secrets));
        }

        // 2. Ports.
        var isPublic = builder.Configuration.GetValue("public", false);
        foreach (var resource in builder.Resources)
        {
            foreach (var endpoint in resource.Annotations.OfType<EndpointAnnotation>())
            {
                GivePorts(resource, endpoint);
                endpoint.IsPublic = isPublic && endpoint.IsExternal;
            }
        }

        // 3. Servers.
        foreach (var server in builder.Resources.OfType<ServerResource>())
        {
            units.Add(await choice.ChooseAsync(server, cancellation));
        }

        // 4. Programs.
        foreach (var project in builder.Resources.OfType<ProjectResource>())
        {
            List<RunUnit> replicas = [.. Enumerable.Range(0, project.Replicas).Select(index => ProjectUnit(project, index, environment))];
            units.AddRange(replicas);
            if (project.Replicas > 1)
            {
                sharedPorts.AddRange(project.Annotations.OfType<EndpointAnnotation>().Select(endpoint => new SharedPort(endpoint.AllocatedPort, endpoint.IsPublic, replicas)));
            }
        }

        units.AddRange(builder.Resources.OfType<ExecutableResource>().Select(program => ProgramUnit(program, data, environment)));
        return new ClusterPlan(units, sharedPorts);
    }

    private static string ValueOf(ParameterResource parameter, ConfigurationManager configuration, SecretFiles secrets)
    {
        var given = configuration[$"Parameters:{parameter.Name}"] ?? configuration[$"Parameters:{parameter.Name.Replace('-', '_')}"];
        if (given is { Length: > 0 })
        {
            return given;
        }

        return parameter.Default is { } made
            ? secrets.GetOrAdd(parameter.Name, made.GetDefaultValue)
            : throw new LaunchException($"The parameter {parameter.Name} has no value: set the environment variable Parameters__{parameter.Name.Replace('-', '_')}.");
    }

    private static void GivePorts(IResource resource, EndpointAnnotation endpoint)
    {
        if (endpoint.Port is { } wanted && !FreePort.IsFree(wanted))
        {
            var remedy = endpoint.IsExternal ? ", or choose another port with --port N" : "";
            throw new LaunchException($"Port {wanted}, which {resource.Name} is to listen on, is in use by another program. Stop that program{remedy}.");
        }

        var replicas = (resource as ProjectResource)?.Replicas ?? 1;
        endpoint.AllocatedPort = endpoint.Port ?? FreePort.Take();
        endpoint.ReplicaPorts = replicas == 1 ? [endpoint.AllocatedPort] : [.. Enumerable.Range(0, replicas).Select(_ => FreePort.Take())];
    }

    private static RunUnit ProjectUnit(ProjectResource project, int index, ProcessEnvironment environment)
    {
        var endpoints = project.Annotations.OfType<EndpointAnnotation>().ToList();
        var name = project.Replicas > 1 ? $"{project.Name}-{index + 1}" : project.Name;
        var program = ProjectOutput.Find(project.Metadata.ProjectPath);
        return new RunUnit(name, project, "project")
        {
            Spec = () => new ProcessSpec(name, ProjectOutput.DotNet, [program, .. Arguments(project)])
            {
                WorkingDirectory = Path.GetDirectoryName(project.Metadata.ProjectPath),
                Environment = environment.Of(project, name, index, endpoints),
            },
            IsHealthyAsync = HealthProbe.For(project, endpoints, index),
            WaitsFor = [.. project.Annotations.OfType<WaitAnnotation>()],
            Endpoints = [.. endpoints.Select(endpoint => $"{endpoint.UriScheme}://localhost:{endpoint.ReplicaPorts[index]}")],
            Port = endpoints.Count > 0 ? endpoints[0].ReplicaPorts[index] : 0,
        };
    }

    private static RunUnit ProgramUnit(ExecutableResource program, DataFolder data, ProcessEnvironment environment)
    {
        var endpoints = program.Annotations.OfType<EndpointAnnotation>().ToList();
        var folder = data.Of(program.Name);
        var path = Path.IsPathRooted(program.Command) ? program.Command : Programs.Find(program.Command)
            ?? throw new LaunchException($"The program {program.Command} of {program.Name} is not installed.");
        IReadOnlyList<string> arguments = Arguments(program);
        return new RunUnit(program.Name, program, Path.GetFileName(path))
        {
            PrepareAsync = _ =>
            {
                Directory.CreateDirectory(folder);
                arguments = [.. Arguments(program), .. program.Annotations.OfType<ProgramSetupAnnotation>().SelectMany(setup => setup.Prepare(folder))];
                return Task.CompletedTask;
            },
            Spec = () => new ProcessSpec(program.Name, path, arguments)
            {
                WorkingDirectory = program.WorkingDirectory,
                Environment = environment.Of(program, program.Name, 0, endpoints),
            },
            IsHealthyAsync = HealthProbe.For(program, endpoints, 0),
            WaitsFor = [.. program.Annotations.OfType<WaitAnnotation>()],
            Endpoints = [.. endpoints.Select(endpoint => endpoint.Url)],
            Port = endpoints.Count > 0 ? endpoints[0].AllocatedPort : 0,
        };
    }

    private static string[] Arguments(IResource resource) =>
        [.. resource.Annotations.OfType<CommandLineArgsAnnotation>().SelectMany(annotation => annotation.Arguments)];
}
