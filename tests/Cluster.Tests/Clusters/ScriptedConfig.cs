using System.Globalization;

namespace Gateway.Cluster.Tests.Clusters;

/// <summary>
/// Patterns instead of models: <c>s-*</c> is any scripted model, <c>a-*</c>, <c>c-*</c>, <c>o-*</c> and <c>g-*</c> ones that speak Anthropic's, Cohere's, Ollama's and Gemini's protocol, <c>timed-*</c> one with a short timeout,
/// <c>free-*</c> one that costs nothing and <c>unpriced-*</c> one of which nobody knows what it costs; <c>first-1</c> … <c>first-8</c> have the
/// fallback <c>second-1</c>, and <c>long-1</c> has it for prompts that are too long; <c>again-1</c> is tried again twice, and <c>pair-1</c> has two deployments at one host.
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
          - model_name: "a-*"
            litellm_params:
              <<: *scripted
              model: "anthropic/a-*"
              api_base: {{upstream}}
          - model_name: "c-*"
            litellm_params:
              <<: *scripted
              model: "cohere/c-*"
              api_base: {{upstream}}
          - model_name: "o-*"
            litellm_params:
              <<: *scripted
              model: "ollama/o-*"
              api_base: {{upstream}}
          - model_name: "g-*"
            litellm_params:
              <<: *scripted
              model: "gemini/g-*"
              api_base: {{upstream}}
          - model_name: "timed-*"
            litellm_params:
              <<: *scripted
              model: "openai/timed-*"
              timeout: {{timeout.TotalSeconds}}
          - model_name: "free-*"
            litellm_params:
              <<: *scripted
              model: "openai/free-*"
              input_cost_per_token: 0
              output_cost_per_token: 0
          - model_name: "unpriced-*"
            litellm_params:
              model: "openai/unpriced-*"
              api_base: {{upstream}}/v1
              api_key: sk-upstream
          - model_name: second-1
            litellm_params:
              <<: *scripted
              model: openai/second-1
          - model_name: again-1
            litellm_params:
              <<: *scripted
              model: openai/again-1
              num_retries: 2
          - model_name: pair-1
            litellm_params:
              <<: *scripted
              model: openai/pair-refusing
              cooldown_time: 600
          - model_name: pair-1
            litellm_params:
              <<: *scripted
              model: openai/pair-answering
              cooldown_time: 600
          - model_name: mocked-1
            litellm_params:
              model: anthropic/mocked-1
              mock_response: A fixed answer.
              input_cost_per_token: 0.00001
              output_cost_per_token: 0.00003
          - model_name: down-1
            litellm_params:
              <<: *scripted
              model: openai/down-1
              api_base: http://127.0.0.1:9/v1
          - model_name: down-2
            litellm_params:
              <<: *scripted
              model: openai/down-2
              api_base: http://127.0.0.1:9/v1
        {{string.Join('\n', Firsts.Concat(Longs).Select(name => $"""
          - model_name: {name}
            litellm_params:
              <<: *scripted
              model: openai/{name}
        """))}}

        router_settings:
          num_retries: 0
          fallbacks: [{{string.Join(", ", Firsts.Append("down-1").Select(static name => $"{{{name}: [second-1]}}"))}}]
          context_window_fallbacks: [{{string.Join(", ", Longs.Select(static name => $"{{{name}: [second-1]}}"))}}]
        """);

    private static IEnumerable<string> Longs => ["long-1"];

    private static IEnumerable<string> Firsts => Enumerable.Range(1, 8).Select(static number => $"first-{number}");
}
