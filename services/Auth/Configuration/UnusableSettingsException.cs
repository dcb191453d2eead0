namespace Gateway.Auth.Configuration;

/// <summary>Settings or config.yaml do not let the service start. The message says all that is wrong, with remedies; a stack would only hide it.</summary>
internal sealed class UnusableSettingsException(string message) : InvalidOperationException(message);
