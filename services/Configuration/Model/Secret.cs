namespace Gateway.Configuration;

/// <summary>A key or password. It prints as <c>***</c>, so that no log, exception or debugger view shows it by accident.</summary>
public sealed class Secret : IEquatable<Secret>
{
    private readonly string value;

    /// <summary>Wraps <paramref name="value"/>.</summary>
    public Secret(string value) => this.value = value;

    /// <summary>The value itself: for the one place that sends or compares it.</summary>
    public string Reveal() => value;

    /// <inheritdoc/>
    public bool Equals(Secret? other) => other is not null && other.value == value;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Secret);

    /// <inheritdoc/>
    public override int GetHashCode() => value.GetHashCode(StringComparison.Ordinal);

    /// <summary>Never the value.</summary>
    public override string ToString() => "***";
}
