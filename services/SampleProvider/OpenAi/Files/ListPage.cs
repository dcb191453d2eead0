using System.Globalization;
using Gateway.SampleProvider.Asking;
using Microsoft.AspNetCore.Http;

namespace Gateway.SampleProvider.OpenAi.Files;

/// <summary>What can stand in a list.</summary>
internal interface IListed
{
    string Id { get; }
}

/// <summary>One page of a list, as OpenAI's routes that list answer it.</summary>
internal sealed record ListPage<T>(T[] Data, bool HasMore)
    where T : IListed
{
    public string Object { get; } = "list";

    public string? FirstId => Data.Length == 0 ? null : Data[0].Id;

    public string? LastId => Data.Length == 0 ? null : Data[^1].Id;

    /// <summary>The page that <c>limit</c>, <c>order</c> and <c>after</c> ask for; null when one of them is wrong.</summary>
    public static ListPage<T>? Of(IEnumerable<T> oldestFirst, HttpRequest request, int limitDefault, int limitMax, out Fault? fault)
    {
        var limit = limitDefault;
        string? asked = request.Query["limit"];
        string? order = request.Query["order"];
        fault = asked is not null && (!int.TryParse(asked, NumberStyles.None, CultureInfo.InvariantCulture, out limit) || limit < 1 || limit > limitMax)
            ? new Fault(400, $"Invalid 'limit': expected an integer from 1 to {limitMax}.", "limit", "invalid_value")
            : order is not (null or "asc" or "desc") ? new Fault(400, "Invalid 'order': expected 'asc' or 'desc'.", "order", "invalid_value")
            : null;
        if (fault is not null)
        {
            return null;
        }

        var all = (order == "asc" ? oldestFirst : oldestFirst.Reverse()).ToList();
        string? after = request.Query["after"];
        var from = after is null ? 0 : all.FindIndex(item => item.Id == after) + 1;
        if (after is not null && from == 0)
        {
            fault = new Fault(400, $"There is nothing with the id '{after}' in this list.", "after", "invalid_value");
            return null;
        }

        return new([.. all.Skip(from).Take(limit)], all.Count > from + limit);
    }
}
