namespace Gateway.Configuration.Schema;

/// <summary>Every key of the file. docs/configuration.md is written from it, and a test holds the two together.</summary>
internal static class ConfigSchema
{
    public static readonly ConfigKey[] Prices =
    [
        new("input_cost_per_token", "dollars", "the catalogue's", "Input"),
        new("output_cost_per_token", "dollars", "the catalogue's", "Output"),
        new("cache_read_input_token_cost", "dollars", "the catalogue's", "Cached input"),
        new("cache_creation_input_token_cost", "dollars", "the catalogue's", "Input written to a cache of 5 minutes"),
        new("cache_creation_input_token_cost_above_1hr", "dollars", "the catalogue's", "Input written to a cache of an hour"),
        new("output_cost_per_reasoning_token", "dollars", "the catalogue's", "Reasoning"),
        new("input_cost_per_audio_token", "dollars", "the catalogue's", "Audio read"),
        new("output_cost_per_audio_token", "dollars", "the catalogue's", "Audio written"),
        new("input_cost_per_token_above_128k_tokens", "dollars", "the catalogue's", "Input of a prompt above 128,000 tokens"),
        new("output_cost_per_token_above_128k_tokens", "dollars", "the catalogue's", "Output of such a request"),
        new("input_cost_per_token_above_200k_tokens", "dollars", "the catalogue's", "Input of a prompt above 200,000 tokens"),
        new("output_cost_per_token_above_200k_tokens", "dollars", "the catalogue's", "Output of such a request"),
        new("input_cost_per_token_priority", "dollars", "the catalogue's", "Input in the priority tier"),
        new("output_cost_per_token_priority", "dollars", "the catalogue's", "Output in the priority tier"),
        new("cache_read_input_token_cost_priority", "dollars", "the catalogue's", "Cached input in the priority tier"),
        new("input_cost_per_token_flex", "dollars", "the catalogue's", "Input in the flex tier"),
        new("output_cost_per_token_flex", "dollars", "the catalogue's", "Output in the flex tier"),
        new("cache_read_input_token_cost_flex", "dollars", "the catalogue's", "Cached input in the flex tier"),
        new("input_cost_per_token_batches", "dollars", "the catalogue's", "Input in a batch"),
        new("output_cost_per_token_batches", "dollars", "the catalogue's", "Output in a batch"),
        new("input_cost_per_image", "dollars", "the catalogue's", "An image"),
        new("output_cost_per_image", "dollars", "the catalogue's", "An image made; wins over input_cost_per_image"),
        new("input_cost_per_request", "dollars", "the catalogue's", "A request"),
        new("input_cost_per_query", "dollars", "the catalogue's", "A search; the same as input_cost_per_request"),
        new("input_cost_per_second", "dollars", "the catalogue's", "A second of audio"),
        new("input_cost_per_character", "dollars", "the catalogue's", "A character turned to speech"),
    ];

    /// <summary>The sections.</summary>
    public static readonly KeySet Top = new("(top level)",
    [
        new("model_list", "list", "required", "The deployments; several of one model_name share its load"),
        new("credential_list", "list", "none", "Credentials with names, for deployments, users, teams and organizations"),
        new("router_settings", "map", "none", "How a deployment is chosen, retried and replaced"),
        new("litellm_settings", "map", "none", "Settings under the name that LiteLLM gives them"),
        new("general_settings", "map", "none", "Settings of the gateway as a whole"),
        new("environment_variables", "map of name to text", "none", "Values that os.environ/NAME finds before the environment does"),
        new("user_access", "list", "none", "Users with their models, budgets, limits and keys"),
        new("unpriced_models", "refuse, allow or flag", "flag", "What happens to a request whose model has no price"),
        new("timezone", "IANA time zone", "UTC", "The calendar that budgets with a period start by"),
        .. NotSupported(
            "callback_settings", "guardrails", "mcp_servers", "include", "assistant_settings", "finetune_settings",
            "files_settings", "vector_store_registry", "mcp_tools", "prompts", "search_tools"),
    ]);

    /// <summary>A deployment.</summary>
    public static readonly KeySet ModelEntry = new("model_list[]",
    [
        new("model_name", "text", "required", "The public name; * in it stands for any text"),
        new("litellm_params", "map", "required", "Where the model is and how it is called"),
        new("model_info", "map", "none", "What is known of it"),
        .. NotSupported(
            "access_groups"),
    ]);

    /// <summary>Where a model is and how it is called.</summary>
    public static readonly KeySet LitellmParams = new("model_list[].litellm_params",
    [
        new("model", "provider/name", "required", "The provider and its name of the model"),
        new("custom_llm_provider", "text", "from model", "The provider, when model does not begin with it"),
        new("api_key", "text", "from the environment", "The credential, or its place: os.environ/NAME, file/PATH, vault/MOUNT/PATH#field, aws/NAME, google/NAME, azure/NAME"),
        new("litellm_credential_name", "text", "none", "An entry of credential_list; what is stated here goes before it"),
        new("api_base", "URL", "the provider's",
            "The address; no key is sent there unless api_key is stated or the provider has no address of its own"),
        new("api_version", "text", "the provider's", "The version of the API (Azure)"),
        new("organization", "text", "none", "The organization (OpenAI)"),
        new("extra_headers", "map of name to text", "none", "Headers that are sent with each request"),
        new("rpm", "whole number", "no limit", "Requests that it takes in a minute"),
        new("tpm", "whole number", "no limit", "Tokens that it takes in a minute"),
        new("weight", "number", "by rpm, tpm, else 1", "Its share under simple-shuffle"),
        new("order", "whole number", "none", "Lower ones are tried first"),
        new("timeout", "seconds", "the router's", "For the whole call"),
        new("stream_timeout", "seconds", "the router's", "Until the first chunk of a stream"),
        new("max_parallel_requests", "whole number", "the router's", "Requests at once"),
        new("max_retries", "whole number", "the router's", "The same as num_retries"),
        new("num_retries", "whole number", "the router's", "Tries after the first"),
        new("cooldown_time", "seconds", "the router's", "How long it rests after it failed"),
        new("tags", "list of text", "none", "Tags for tag routing"),
        new("max_budget", "dollars", "no limit", "What may be spent on this deployment in a period"),
        new("budget_duration", "period", "never starts again", "The period: 30s 30m 24h 7d 30d 1mo"),
        new("drop_params", "true or false", "litellm_settings", "Whether fields that the provider does not know are left out"),
        new("mock_response", "text", "none", "A fixed answer; no provider is called"),
        new("aws_region_name", "text", "AWS_REGION", "The region (Bedrock)"),
        new("aws_access_key_id", "text", "AWS_ACCESS_KEY_ID", "The access key (Bedrock)"),
        new("aws_secret_access_key", "text", "AWS_SECRET_ACCESS_KEY", "Its secret (Bedrock)"),
        new("aws_session_token", "text", "AWS_SESSION_TOKEN", "Its session (Bedrock)"),
        new("vertex_project", "text", "VERTEXAI_PROJECT", "The project (Vertex AI)"),
        new("vertex_location", "text", "VERTEXAI_LOCATION", "The location (Vertex AI)"),
        new("vertex_credentials", "text", "GOOGLE_APPLICATION_CREDENTIALS", "A service account's file or JSON (Vertex AI)"),
        new("configurable_clientside_auth_params", "list", "none", "Refused: LiteLLM lets callers choose these, and here no caller chooses an address or a key"),
        .. Prices,
        .. NotSupported(
            "mock_timeout", "mock_tool_calls", "input_cost_per_video_per_second",
            "output_cost_per_video_per_second", "output_cost_per_second", "temperature", "top_p", "max_tokens", "max_completion_tokens",
            "seed", "n", "stop", "frequency_penalty", "presence_penalty", "user", "stream", "reasoning_effort", "response_format",
            "thinking", "extra_body", "rust", "merge_reasoning_content_in_choices", "use_in_pass_through",
            "allowed_openai_params", "base_url", "ssl_verify", "azure_ad_token", "tenant_id", "client_id", "client_secret",
            "aws_role_name", "aws_session_name", "aws_profile_name", "aws_bedrock_runtime_endpoint", "aws_web_identity_token",
            "region_name", "model_info", "litellm_session_id", "use_litellm_proxy", "cache", "cooldown_policy", "caching",
            "max_file_size_mb", "complexity_router_config", "auto_router_config", "auto_router_default_model",
            "default_api_key_tpm_limit", "default_api_key_rpm_limit"),
    ]);

    /// <summary>A credential with a name.</summary>
    public static readonly KeySet CredentialEntry = new("credential_list[]",
    [
        new("credential_name", "text", "required", "Its name in deployments, users and usage records"),
        new("credential_values", "map", "required", "What it is made of"),
        new("credential_info", "map", "none", "For people"),
    ]);

    /// <summary>What a credential is made of.</summary>
    public static readonly KeySet CredentialValues = new("credential_list[].credential_values",
    [
        new("api_key", "text", "none", "The key, or its place: os.environ/NAME, file/PATH, vault/MOUNT/PATH#field, aws/NAME, google/NAME, azure/NAME"),
        new("api_base", "URL", "the deployment's", "The address that it is for"),
        new("api_version", "text", "the deployment's", "The version of the API (Azure)"),
        new("organization", "text", "none", "The organization (OpenAI)"),
        new("aws_region_name", "text", "the deployment's", "The region (Bedrock)"),
        new("aws_access_key_id", "text", "none", "The access key, or its place (Bedrock)"),
        new("aws_secret_access_key", "text", "none", "Its secret, or its place (Bedrock)"),
        new("aws_session_token", "text", "none", "Its session, or its place (Bedrock)"),
        new("vertex_project", "text", "the deployment's", "The project (Vertex AI)"),
        new("vertex_location", "text", "the deployment's", "The location (Vertex AI)"),
        new("vertex_credentials", "text", "none", "A service account's JSON or its place (Vertex AI)"),
    ]);

    /// <summary>Which secrets a store has.</summary>
    public static readonly KeySet KeyManagementSettings = new("general_settings.key_management_settings",
    [
        new("hosted_keys", "list of text", "those that the environment does not have", "The names that os.environ/NAME finds in the store"),
        new("primary_secret_name", "text", "none", "The one secret of AWS Secrets Manager whose fields have those names"),
        .. NotSupported(
            "access_mode", "store_virtual_keys", "prefix_for_stored_virtual_keys", "description", "tags", "custom_secret_manager",
            "aws_region_name", "aws_role_name", "aws_session_name", "aws_external_id", "aws_profile_name", "aws_web_identity_token", "aws_sts_endpoint"),
    ]);

    /// <summary>What is known of a deployment.</summary>
    public static readonly KeySet ModelInfo = new("model_list[].model_info",
    [
        new("id", "text", "a hash of name and parameters", "Its id in records, metrics and fallbacks"),
        new("mode", "text", "the price catalogue's, else chat",
            "chat, completion, embedding, image_generation, audio_transcription, audio_speech, rerank, moderation, batch, realtime or responses"),
        new("base_model", "text", "none", "The model whose price and window it has, and which tells what it takes where its own name does not"),
        new("max_tokens", "whole number", "the catalogue's", "The most tokens that it writes"),
        new("max_output_tokens", "whole number", "the catalogue's", "The same as max_tokens"),
        new("max_input_tokens", "whole number", "the catalogue's", "The most tokens that it reads"),
        .. Prices,
        .. NotSupported(
            "health_check_model", "health_check_timeout", "disable_background_health_check"),
    ], AllowsOthers: true);

    /// <summary>How a deployment is chosen, retried and replaced.</summary>
    public static readonly KeySet Router = new("router_settings",
    [
        new("routing_strategy", "text", "simple-shuffle",
            "simple-shuffle, least-busy, usage-based (-routing, -routing-v2), latency-based (-routing) or cost-based (-routing)"),
        new("routing_strategy_args", "map", "none", "Arguments of the strategy"),
        new("num_retries", "whole number", "3", "Tries after the first, within the group"),
        new("retry_after", "seconds", "0", "The least wait before another try"),
        new("timeout", "seconds", "600", "For a whole call"),
        new("stream_timeout", "seconds", "timeout", "Until the first chunk of a stream"),
        new("allowed_fails", "whole number", "3", "Failures within a minute before a deployment rests"),
        new("cooldown_time", "seconds", "5", "How long it rests"),
        new("disable_cooldowns", "true or false", "false", "Whether none ever rests"),
        new("enable_pre_call_checks", "true or false", "false", "Whether the context window is checked before a deployment is chosen"),
        new("enable_tag_filtering", "true or false", "false", "Whether tags of the request choose"),
        new("tag_filtering_match_any", "true or false", "false", "Whether one common tag is enough"),
        new("max_fallbacks", "whole number", "5", "Fallbacks that one request follows"),
        new("fallbacks", "list of {name: [names]}", "none", "What is tried when the group has failed"),
        new("default_fallbacks", "list of text", "none", "What is tried for names without fallbacks"),
        new("context_window_fallbacks", "list of {name: [names]}", "none", "What is tried when the prompt is too long"),
        new("content_policy_fallbacks", "list of {name: [names]}", "none", "What is tried when the content policy refuses"),
        new("model_group_alias", "map", "none", "Other names: {alias: name} or {alias: {model: name, hidden: true}}"),
        new("retry_policy", "map", "none", "Tries by kind of error"),
        new("model_group_retry_policy", "map of name to map", "none", "Tries by kind of error, for one name"),
        new("default_max_parallel_requests", "whole number", "no limit", "Requests at once for a deployment that states none"),
        new("provider_budget_config", "map of provider to map", "none", "What may be spent at a provider"),
        .. NotSupported(
            "redis_host", "redis_port", "redis_password", "redis_db", "redis_url", "redis_startup_nodes", "optional_pre_call_checks",
            "deployment_affinity_ttl_seconds", "allowed_fails_policy", "default_litellm_params", "default_priority", "caching_groups",
            "cache_responses", "cache_kwargs", "client_ttl", "ignore_invalid_deployments", "search_tools", "guardrail_list",
            "polling_interval", "model_list", "debug_level", "set_verbose", "enable_weighted_failover", "ignore_deployments",
            "alerting_config", "assistants_config", "enable_health_check_routing", "health_check_staleness_threshold"),
    ]);

    /// <summary>Arguments of a strategy.</summary>
    public static readonly KeySet RouterArgs = new("router_settings.routing_strategy_args",
    [
        new("ttl", "seconds", "3600", "How long a latency counts"),
        new("lowest_latency_buffer", "number", "0", "Up to this share slower than the fastest is as good"),
        .. NotSupported(
            "rpm_buffer"),
    ]);

    /// <summary>Tries by kind of error.</summary>
    public static readonly KeySet Retries = new("router_settings.retry_policy",
    [
        new("AuthenticationErrorRetries", "whole number", "num_retries", "The provider refused the credential"),
        new("TimeoutErrorRetries", "whole number", "num_retries", "It took too long"),
        new("RateLimitErrorRetries", "whole number", "num_retries", "It was asked too often"),
        new("ContentPolicyViolationErrorRetries", "whole number", "num_retries", "Its content policy refused"),
        new("InternalServerErrorRetries", "whole number", "num_retries", "It failed"),
        new("BadRequestErrorRetries", "whole number", "num_retries", "It did not understand the request"),
    ]);

    /// <summary>Another name.</summary>
    public static readonly KeySet Alias = new("router_settings.model_group_alias.*",
    [
        new("model", "text", "required", "The public name that is meant"),
        new("hidden", "true or false", "false", "Whether the list of models leaves it out"),
    ]);

    /// <summary>What may be spent at a provider.</summary>
    public static readonly KeySet ProviderBudgets = new("router_settings.provider_budget_config.*",
    [
        new("budget_limit", "dollars", "required", "How much"),
        new("time_period", "period", "never starts again", "The period: 30s 30m 24h 7d 30d 1mo"),
        new("max_budget", "dollars", "none", "The same as budget_limit"),
        new("budget_duration", "period", "none", "The same as time_period"),
    ]);

    /// <summary>Settings of the gateway as a whole.</summary>
    public static readonly KeySet General = new("general_settings",
    [
        new("master_key", "text", "Gateway:MasterKey", "The administrator's key"),
        new("max_request_size_mb", "number", "32", "The largest body of a request, in MiB; larger ones get 413"),
        new("max_file_size_mb", "number", "200", "The largest file of POST /v1/files, in MiB; larger ones get 413. It waits in the system's temporary folder until its provider has it"),
        new("global_max_parallel_requests", "whole number", "no limit", "Requests at once for the whole gateway"),
        new("max_parallel_requests", "whole number", "no limit", "Requests at once for a key that states none"),
        new("litellm_key_header_name", "text", "none", "A header that a key may be sent in besides Authorization"),
        new("user_header_name", "text", "none", "A header that a request's end user may be named in, before the field user"),
        new("allowed_upstream_networks", "list of networks", "none", "Networks such as 169.254.10.0/24 that providers may be in, although link-local and metadata addresses are refused"),
        new("forwarded_client_headers", "list of texts", "none", "Headers of callers that are sent on to providers, by name; none that holds a credential. Others stay here"),
        new("reject_clientside_metadata_tags", "true or false", "false", "Whether requests with tags of the caller's own are refused: tags then come from keys alone"),
        new("enforce_user_param", "true or false", "false", "Whether every request has to name its end user"),
        new("budget_wait", "seconds", "1", "How long a request may wait for money that others are expected to give back"),
        new("max_stale", "seconds", "600", "How long a key is believed while Auth does not answer"),
        new("credential_refresh", "seconds", "10", "How often credentials in files and stores are looked at; a provider that refuses one is a reason to look at once"),
        new("credential_max_stale", "seconds", "86400", "How long a credential is used while its file or store does not answer"),
        new("key_management_system", "hashicorp_vault, aws_secret_manager, google_secret_manager or azure_key_vault", "none", "Where os.environ/NAME in a credential is looked for besides the environment"),
        new("key_management_settings", "map", "none", "Which names are there"),
        new("price_file", "path", "none", "A price file over the built-in prices, from the folder of this file"),
        new("unpriced_models", "refuse, allow or flag", "flag", "The same as at the top level"),
        .. NotSupported(
            "custom_auth", "custom_sso", "enable_jwt_auth", "litellm_jwtauth", "enable_oauth2_auth", "enforce_rbac", "role_permissions",
            "allowed_routes", "public_routes", "admin_only_routes", "allowed_ips", "use_x_forwarded_for", "user_header_mappings",
            "service_account_settings", "default_team_disabled", "enforced_params",
            "database_url", "database_connection_pool_limit", "database_connection_timeout", "database_type", "store_model_in_db",
            "supported_db_objects", "allow_requests_on_db_unavailable", "disable_spend_logs", "disable_spend_updates",
            "disable_error_logs", "disable_reset_budget", "proxy_budget_rescheduler_min_time", "proxy_budget_rescheduler_max_time",
            "proxy_batch_write_at", "use_redis_transaction_buffer", "user_api_key_cache_ttl", "maximum_spend_logs_retention_period",
            "maximum_spend_logs_retention_interval", "maximum_spend_logs_cleanup_cron", "store_prompts_in_spend_logs",
            "max_response_size_mb", "token_rate_limit_type", "disable_budget_reservation", "fail_closed_budget_enforcement",
            "enforce_fallback_model_access", "skip_user_budget_on_team_key", "always_include_stream_usage", "alerting",
            "alerting_threshold", "alert_types", "alert_to_webhook_url", "alerting_args", "background_health_checks",
            "health_check_interval", "enable_health_check_routing", "use_shared_health_check", "pass_through_endpoints",
            "forward_client_headers_to_llm_api", "control_plane_url",
            "spend_report_frequency", "infer_model_from_keys", "completion_model", "ui_access_mode", "disable_master_key_return",
            "disable_admin_ui", "max_iterations", "coordination_namespace", "pass_through_request_timeout", "default_user_params"),
    ]);

    /// <summary>Settings under the name that LiteLLM gives them.</summary>
    public static readonly KeySet LiteLlm = new("litellm_settings",
    [
        new("drop_params", "true or false", "false", "Whether fields that a provider does not know are left out instead of refused"),
        new("num_retries", "whole number", "router_settings", "As in router_settings, which wins"),
        new("request_timeout", "seconds", "router_settings.timeout", "For a whole call; router_settings.timeout wins"),
        new("allowed_fails", "whole number", "router_settings", "As in router_settings, which wins"),
        new("cooldown_time", "seconds", "router_settings", "As in router_settings, which wins"),
        new("fallbacks", "list of {name: [names]}", "none", "As in router_settings, which wins name by name"),
        new("default_fallbacks", "list of text", "none", "As in router_settings, which wins"),
        new("context_window_fallbacks", "list of {name: [names]}", "none", "As in router_settings, which wins name by name"),
        new("content_policy_fallbacks", "list of {name: [names]}", "none", "As in router_settings, which wins name by name"),
        new("max_budget", "dollars", "no limit", "What the whole gateway may spend in a period"),
        new("budget_duration", "period", "never starts again", "The period: 30s 30m 24h 7d 30d 1mo"),
        new("timezone", "IANA time zone", "UTC", "The same as at the top level"),
        new("include_cost_in_streaming_usage", "true or false", "false", "Whether the last usage frame of a stream names the cost"),
        .. NotSupported(
            "callbacks", "success_callback", "failure_callback", "service_callbacks", "turn_off_message_logging",
            "redact_user_api_key_info", "modify_params", "json_logs", "cache", "cache_params", "enable_redis_auth_cache",
            "max_end_user_budget_id", "upperbound_key_generate_params", "default_key_generate_params", "key_generation_settings",
            "store_audit_logs", "audit_log_callbacks", "priority_reservation", "custom_prometheus_metadata_labels",
            "custom_prometheus_tags", "prometheus_metrics_config", "prometheus_initialize_budget_metrics",
            "enable_end_user_cost_tracking_prometheus_only", "disable_end_user_cost_tracking", "skip_system_message_in_guardrail",
            "budget_reset_time", "mcp_aliases", "network_mock", "set_verbose", "telemetry", "add_function_to_prompt",
            "default_internal_user_params", "default_team_settings", "default_team_params", "cost_margin_config", "cost_discount_config",
            "ssl_verify", "stream_chunk_size", "public_model_groups", "guardrails", "tag_budget_config",
            "forward_traceparent_to_llm_provider", "max_user_budget", "internal_user_budget_duration", "max_internal_user_budget",
            "default_max_internal_user_budget"),
    ]);

    /// <summary>A user.</summary>
    public static readonly KeySet Access = new("user_access[]",
    [
        new("user_id", "text", "required", "Who"),
        new("models", "list of text", "required", "The public names or patterns granted; [\"*\"] for every model"),
        new("max_budget", "dollars", "no limit", "What may be spent in a period"),
        new("soft_budget", "dollars", "none", "Spending above this only alerts"),
        new("budget_duration", "period", "never starts again", "The period: 30s 30m 24h 7d 30d 1mo"),
        new("rpm_limit", "whole number", "no limit", "Requests in a minute"),
        new("tpm_limit", "whole number", "no limit", "Tokens in a minute"),
        new("max_parallel_requests", "whole number", "no limit", "Requests at once"),
        new("team_id", "text", "none", "The team that it belongs to"),
        new("credentials", "map of name to text", "the deployments' own", "Which of credential_list its calls use: by deployment id, model_name or provider, in this order"),
        new("api_key", "text", "<user_id>-token in Development", "The key; os.environ/NAME takes it from the environment"),
    ]);

    public static readonly IReadOnlyList<KeySet> All =
        [Top, ModelEntry, LitellmParams, ModelInfo, CredentialEntry, CredentialValues, Router, RouterArgs, Retries, Alias, ProviderBudgets, General, KeyManagementSettings, LiteLlm, Access];

    private static IEnumerable<ConfigKey> NotSupported(params IEnumerable<string> names) =>
        names.Select(name => new ConfigKey(name, "", "", "A key of LiteLLM's that has no effect here", IsSupported: false));
}
