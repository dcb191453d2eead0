namespace Gateway.Bench.Peers;

/// <summary>The cluster's config.yaml: one user with a budget that is never used up, and users that are refused.</summary>
internal static class GatewayConfig
{
    /// <summary>Who is served.</summary>
    public const string Key = "sk-bench-served";

    /// <summary>Its budget is used up before the first request.</summary>
    public const string SpentKey = "sk-bench-spent";

    /// <summary>May call once a day.</summary>
    public const string LimitedKey = "sk-bench-limited";

    public static string For(Peer upstream) => $"""
        model_list:
        {string.Join('\n', Prompts.Models.Select(model => Deployment(model, upstream)))}

        user_access:
          - user_id: bench
            api_key: {Key}
            models: ["*"]
            max_budget: 1000000000
          - user_id: spent
            api_key: {SpentKey}
            models: ["*"]
            max_budget: 0.000000001
          - user_id: limited
            api_key: {LimitedKey}
            models: ["*"]
            max_budget: 1000000
            rpm_limit: 1

        """;

    private static string Deployment(string model, Peer upstream) => $"""
          - model_name: "{model}"
            litellm_params:
              model: "openai/{model}"
              api_base: {upstream.Address}/v1
              api_key: sk-bench
              input_cost_per_token: 0.000001
              output_cost_per_token: 0.000002
        """;
}
