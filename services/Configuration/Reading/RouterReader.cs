using Gateway.Configuration.Schema;
using Gateway.Configuration.Yaml;

namespace Gateway.Configuration.Reading;

/// <summary>A name that a fallback, an alias or a grant uses, to be checked once all names are known.</summary>
internal sealed record NameInUse(string Name, YamlNode Node, string Path, NameUse Use);

internal enum NameUse
{
    Fallback,
    Alias,
    Grant,
}

/// <summary>Reads <c>router_settings</c>, and takes from <c>litellm_settings</c> what the router is silent about.</summary>
internal sealed class RouterReader(Findings findings, List<NameInUse> names)
{
    private static readonly Dictionary<string, RoutingStrategy> Strategies = new(StringComparer.OrdinalIgnoreCase)
    {
        ["simple-shuffle"] = RoutingStrategy.SimpleShuffle,
        ["least-busy"] = RoutingStrategy.LeastBusy,
        ["usage-based"] = RoutingStrategy.UsageBased,
        ["usage-based-routing"] = RoutingStrategy.UsageBased,
        ["usage-based-routing-v2"] = RoutingStrategy.UsageBased,
        ["latency-based"] = RoutingStrategy.LatencyBased,
        ["latency-based-routing"] = RoutingStrategy.LatencyBased,
        ["cost-based"] = RoutingStrategy.CostBased,
        ["cost-based-routing"] = RoutingStrategy.CostBased,
    };

    public RouterSettings Read(Section? router, Section? liteLlm)
    {
        var defaults = new RouterSettings();
        var args = router?.Child("routing_strategy_args", ConfigSchema.RouterArgs);
        var allowedFails = router?.Count("allowed_fails");
        var allowedFailsElsewhere = liteLlm?.Count("allowed_fails");
        var retries = liteLlm?.Count("num_retries");
        var timeout = liteLlm?.Seconds("request_timeout", 0.001m);
        var cooldown = liteLlm?.Seconds("cooldown_time");
        var defaultFallbacks = ReadNames(liteLlm, "default_fallbacks");
        return new RouterSettings
        {
            Strategy = router is null ? defaults.Strategy : ReadStrategy(router),
            LatencyTtl = args?.Seconds("ttl", 1) ?? defaults.LatencyTtl,
            LowestLatencyBuffer = args?.Number("lowest_latency_buffer", 0, 100) ?? 0,
            NumRetries = router?.Count("num_retries") ?? retries ?? defaults.NumRetries,
            RetryAfter = router?.Seconds("retry_after") ?? TimeSpan.Zero,
            Timeout = router?.Seconds("timeout", 0.001m) ?? timeout ?? defaults.Timeout,
            StreamTimeout = router?.Seconds("stream_timeout", 0.001m),
            AllowedFails = allowedFails ?? allowedFailsElsewhere ?? defaults.AllowedFails,
            AllowedFailsIsStated = (allowedFails ?? allowedFailsElsewhere) is not null,
            CooldownTime = router?.Seconds("cooldown_time") ?? cooldown ?? defaults.CooldownTime,
            DisableCooldowns = router?.Flag("disable_cooldowns") ?? false,
            EnablePreCallChecks = router?.Flag("enable_pre_call_checks") ?? false,
            EnableTagFiltering = router?.Flag("enable_tag_filtering") ?? false,
            TagFilteringMatchAny = router?.Flag("tag_filtering_match_any") ?? false,
            MaxFallbacks = router?.Count("max_fallbacks") ?? defaults.MaxFallbacks,
            Fallbacks = ReadFallbacks("fallbacks", router, liteLlm),
            ContextWindowFallbacks = ReadFallbacks("context_window_fallbacks", router, liteLlm),
            ContentPolicyFallbacks = ReadFallbacks("content_policy_fallbacks", router, liteLlm),
            DefaultFallbacks = ReadNames(router, "default_fallbacks") ?? defaultFallbacks ?? [],
            ModelGroupAlias = ReadAliases(router),
            RetryPolicy = router?.Child("retry_policy", ConfigSchema.Retries) is { } policy ? ReadRetries(policy) : new RetryPolicy(),
            ModelGroupRetryPolicy = ReadGroupRetries(router),
            DefaultMaxParallelRequests = router?.Count("default_max_parallel_requests", 1),
            ProviderBudgets = ReadProviderBudgets(router),
        };
    }

    private RoutingStrategy ReadStrategy(Section router)
    {
        if (router.Text("routing_strategy") is not { } written)
        {
            return RoutingStrategy.SimpleShuffle;
        }

        if (Strategies.TryGetValue(written, out var strategy))
        {
            return strategy;
        }

        var nearest = Nearest.To(written, Strategies.Keys);
        findings.Error(
            router.Value("routing_strategy")!, router.PathOf("routing_strategy"), written, $"'{written}' is no routing strategy.",
            (nearest is null ? "" : $"Did you mean '{nearest}'? ") + "There are simple-shuffle, least-busy, usage-based, latency-based and cost-based.");
        return RoutingStrategy.SimpleShuffle;
    }

    private List<string>? ReadNames(Section? section, string key)
    {
        if (section?.Texts(key) is not { } texts)
        {
            return null;
        }

        names.AddRange(texts.Select(text => new NameInUse(text.Text, text.Node, text.Path, NameUse.Fallback)));
        return [.. texts.Select(text => text.Text)];
    }

    private Dictionary<string, IReadOnlyList<string>> ReadFallbacks(string key, Section? router, Section? liteLlm)
    {
        var all = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);

        // The router's first: what litellm_settings says of the same name then has no effect.
        foreach (var section in new[] { router, liteLlm }.OfType<Section>())
        {
            foreach (var (item, path) in Values.List(findings, section.Value(key), section.PathOf(key)))
            {
                foreach (var (name, value, at) in Values.Map(findings, item, path))
                {
                    if (name.Value != "*")
                    {
                        names.Add(new NameInUse(name.Value, name, at, NameUse.Fallback));
                    }

                    if (value is not YamlList list)
                    {
                        findings.Error(value, at, null, $"a list of names is expected here, and this is {value.Kind}.", $"Write '- {name.Value}: [first, second]'.");
                        continue;
                    }

                    var targets = Values.Texts(findings, list, at);
                    names.AddRange(targets.Select(target => new NameInUse(target.Text, target.Node, target.Path, NameUse.Fallback)));
                    if (targets.FirstOrDefault(target => target.Text == name.Value) is { Text: not null } self)
                    {
                        findings.Error(self.Node, self.Path, self.Text, $"'{name.Value}' falls back to itself.", "Remove it from its own list.");
                    }

                    all.TryAdd(name.Value, [.. targets.Select(target => target.Text)]);
                }
            }
        }

        return all;
    }

    private Dictionary<string, ModelAlias> ReadAliases(Section? router)
    {
        var aliases = new Dictionary<string, ModelAlias>(StringComparer.Ordinal);
        if (router?.Value("model_group_alias") is not { } node)
        {
            return aliases;
        }

        foreach (var (name, value, path) in Values.Map(findings, node, router.PathOf("model_group_alias")))
        {
            string? model = null;
            var hidden = false;
            YamlNode target = value;
            if (value is YamlScalar scalar)
            {
                model = findings.Resolve(scalar, path);
            }
            else if (Section.Of(findings, value, path, ConfigSchema.Alias) is { } section)
            {
                model = section.Required("model", "gpt-4o");
                hidden = section.Flag("hidden") ?? false;
                target = section.Value("model") ?? value;
            }

            if (model is not null)
            {
                names.Add(new NameInUse(model, target, path, NameUse.Alias));
                aliases[name.Value] = new ModelAlias(model, hidden);
            }
        }

        return aliases;
    }

    private Dictionary<string, RetryPolicy> ReadGroupRetries(Section? router)
    {
        var policies = new Dictionary<string, RetryPolicy>(StringComparer.Ordinal);
        if (router?.Value("model_group_retry_policy") is { } node)
        {
            foreach (var (name, value, path) in Values.Map(findings, node, router.PathOf("model_group_retry_policy")))
            {
                names.Add(new NameInUse(name.Value, name, path, NameUse.Fallback));
                if (Section.Of(findings, value, path, ConfigSchema.Retries) is { } section)
                {
                    policies[name.Value] = ReadRetries(section);
                }
            }
        }

        return policies;
    }

    private static RetryPolicy ReadRetries(Section section) => new()
    {
        Authentication = section.Count("AuthenticationErrorRetries"),
        Timeout = section.Count("TimeoutErrorRetries"),
        RateLimit = section.Count("RateLimitErrorRetries"),
        ContentPolicyViolation = section.Count("ContentPolicyViolationErrorRetries"),
        InternalServerError = section.Count("InternalServerErrorRetries"),
        BadRequest = section.Count("BadRequestErrorRetries"),
    };

    private Dictionary<string, ProviderBudget> ReadProviderBudgets(Section? router)
    {
        var budgets = new Dictionary<string, ProviderBudget>(StringComparer.Ordinal);
        if (router?.Value("provider_budget_config") is not { } node)
        {
            return budgets;
        }

        foreach (var (name, value, path) in Values.Map(findings, node, router.PathOf("provider_budget_config")))
        {
            var provider = ProviderCatalogue.Find(name.Value);
            if (provider is null)
            {
                var nearest = Nearest.To(name.Value, ProviderCatalogue.Names);
                findings.Error(name, path, name.Value, $"'{name.Value}' is no provider that the gateway knows.", nearest is null ? "See docs/configuration.md for the names." : $"Did you mean '{nearest}'?");
            }

            if (Section.Of(findings, value, path, ConfigSchema.ProviderBudgets) is not { } section)
            {
                continue;
            }

            var limit = section.Dollars("budget_limit");
            var sameLimit = section.Dollars("max_budget");
            var period = section.Period("time_period");
            var samePeriod = section.Period("budget_duration");
            if (section.Value("budget_limit") is null && section.Value("max_budget") is null)
            {
                findings.Missing(section.Node, section.PathOf("budget_limit"), "Write 'budget_limit: 100'.");
            }
            else if (provider is not null && (limit ?? sameLimit) is { } dollars)
            {
                budgets[provider.Name] = new ProviderBudget(dollars, period ?? samePeriod);
            }
        }

        return budgets;
    }
}
