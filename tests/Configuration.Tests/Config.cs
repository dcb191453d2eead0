namespace Gateway.Configuration.Tests;

/// <summary>Reads a configuration in a made-up environment.</summary>
internal static class Config
{
    public const string Minimal = """
        model_list:
          - model_name: gpt-4
            litellm_params:
              model: openai/gpt-4

        """;

    public static ConfigResult Development(string yaml, params (string Name, string Value)[] variables) => Read("Development", yaml, variables);

    public static ConfigResult Production(string yaml, params (string Name, string Value)[] variables) => Read("Production", yaml, variables);

    public static ConfigEnvironment Environment(string name, params (string Name, string Value)[] variables) =>
        new(name, wanted => variables.FirstOrDefault(variable => variable.Name == wanted).Value);

    /// <summary>The configuration, which must have no error.</summary>
    public static GatewayConfig Good(this ConfigResult result)
    {
        Assert.Empty(result.Errors);
        return Assert.IsType<GatewayConfig>(result.Config);
    }

    /// <summary>The one error that there must be.</summary>
    public static ConfigProblem OnlyError(this ConfigResult result)
    {
        Assert.Null(result.Config);
        return Assert.Single(result.Errors);
    }

    private static ConfigResult Read(string name, string yaml, (string Name, string Value)[] variables) =>
        ConfigReader.Read(yaml, "/etc/gateway/config.yaml", Environment(name, variables));
}
