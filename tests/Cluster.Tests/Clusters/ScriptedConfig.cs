using System.Globalization;

namespace Gateway.Cluster.Tests.Clusters;

/// <summary>
/// Patterns instead of models: <c>s-*</c> is any scripted model, <c>timed-*</c> one with a short timeout, <c>first-*</c> one whose fallback is
/// <c>second-1</c>.
/// </summary>
internal static class ScriptedConfig
{
    public static string Of(string upstream, TimeSpan timeout) => string.Create(CultureInfo.InvariantCulture, $$"""
        model_list:
          - model_name: "s-*"
            litellm_params: &scripted
              model: "openai/s-*"
              api_base: {{upstream}}/v1
              api_key: sk-upstream
              input_cost_per_token: 0.00001
              output_cost_per_token: 0.00003
          - model_name: "timed-*"
            litellm_params:
              <<: *scripted
              model: "openai/timed-*"
              timeout: {{timeout.TotalSeconds}}
          - model_name: "first-*"
            litellm_params:
              <<: *scripted
              model: "openai/first-*"
          - model_name: second-1
            litellm_params:
              <<: *scripted
              model: openai/second-1

        router_settings:
          num_retries: 0
          fallbacks: [{"*": [second-1]}]
        """).Replace("fallbacks: [{\"*\": [second-1]}]", "fallbacks: [{\"first-1\": [second-1]}, {\"first-2\": [second-1]}, {\"first-3\": [second-1]}, {\"first-4\": [second-1]}]", StringComparison.Ordinal);
}
