using System.Globalization;

namespace Gateway.Auth.Requests;

/// <summary>The query of a list: filters, <c>page</c> (from 1) and its size. What is wrong is collected.</summary>
internal sealed class PageQuery
{
    private const int PageMax = 1_000_000;
    private const int TextCharactersMax = 512;

    private readonly IQueryCollection query;
    private readonly List<(string Field, string Message)> problems = [];

    public PageQuery(IQueryCollection query, int sizeDefault, int sizeMax, params string[] sizeNames)
    {
        this.query = query;
        Page = Number("page", 1, PageMax);
        Size = sizeNames.FirstOrDefault(name => query.ContainsKey(name)) is { } name ? Number(name, sizeDefault, sizeMax) : sizeDefault;
    }

    public int Page { get; }

    public int Size { get; }

    public Refusal? Refusal => problems.Count == 0
        ? null
        : Requests.Refusal.Invalid(problems[0].Field, string.Join(' ', problems.Select(problem => $"{problem.Field}: {problem.Message}")));

    public int PagesOf(long total) => (int)((total + Size - 1) / Size);

    /// <summary>A filter; null when it is absent or empty.</summary>
    public string? Text(string name)
    {
        var text = query[name].ToString();
        if (text.Length <= TextCharactersMax && !text.Any(char.IsControl))
        {
            return text.Length == 0 ? null : text;
        }

        problems.Add((name, $"must have at most {TextCharactersMax} characters and no control characters."));
        return null;
    }

    public bool Flag(string name)
    {
        var text = query[name].ToString();
        if (bool.TryParse(text, out var flag))
        {
            return flag;
        }

        if (text.Length > 0)
        {
            problems.Add((name, "must be true or false."));
        }

        return false;
    }

    private int Number(string name, int otherwise, int max)
    {
        if (query[name].ToString() is not { Length: > 0 } text)
        {
            return otherwise;
        }

        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= 1 && number <= max)
        {
            return number;
        }

        problems.Add((name, $"must be a whole number from 1 to {max}."));
        return otherwise;
    }
}
