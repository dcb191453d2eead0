namespace Gateway.Configuration.Reading;

/// <summary>Checks that fallbacks, aliases and grants name models that exist.</summary>
internal static class NameChecks
{
    public static void Check(Findings findings, ModelListReader modelList, RouterSettings router, IEnumerable<NameInUse> names)
    {
        var models = modelList.Names;
        var known = new HashSet<string>(models.Concat(router.ModelGroupAlias.Keys), StringComparer.Ordinal);
        var patterns = models.Where(model => model.Contains('*', StringComparison.Ordinal)).ToList();
        foreach (var (name, node, path, use) in names)
        {
            // An alias may not name another one: whoever reads it should see at once what is called.
            var candidates = use == NameUse.Alias ? models : known;
            var exists = candidates.Contains(name)
                || patterns.Exists(pattern => ModelPattern.Matches(pattern, name))
                || (use == NameUse.Fallback && modelList.Ids.Contains(name))
                || (use == NameUse.Grant && name.Contains('*', StringComparison.Ordinal) && candidates.Any(model => ModelPattern.Matches(name, model)));
            if (!exists)
            {
                var nearest = Nearest.To(name, candidates);
                findings.Error(
                    node, path, name, $"there is no model '{name}' in model_list.",
                    nearest is not null ? $"Did you mean '{nearest}'?"
                    : candidates.Count == 0 ? "Add a deployment with that model_name."
                    : $"There are: {string.Join(", ", candidates.Order(StringComparer.Ordinal).Take(20))}.");
            }
        }
    }
}
