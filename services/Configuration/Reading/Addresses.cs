namespace Gateway.Configuration.Reading;

/// <summary>Addresses of providers.</summary>
internal static class Addresses
{
    /// <summary>Why a text is no address of a provider, as the end of a sentence; null when it is one.</summary>
    public static string? WhatIsWrongWith(string text)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https") || uri.Host.Length == 0)
        {
            return "is not an address that begins with http:// or https://";
        }

        // A name and password in an address end up in logs and error messages of everything that handles it.
        if (uri.UserInfo.Length > 0)
        {
            return "has a name or password in it";
        }

        return uri.Query.Length > 0 || uri.Fragment.Length > 0 ? "has a '?' or '#' part" : null;
    }

    /// <summary>The address without credentials, queries and the like.</summary>
    public static string Masked(string text)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Host.Length == 0)
        {
            var at = text.IndexOf('@', StringComparison.Ordinal);
            return at < 0 ? text : "***" + text[at..];
        }

        var userInfo = uri.UserInfo.Length > 0 ? "***@" : "";
        var query = uri.Query.Length > 0 ? "?***" : "";
        return $"{uri.Scheme}://{userInfo}{uri.Authority}{uri.AbsolutePath}{query}{uri.Fragment}";
    }
}
