using Npgsql;

namespace Gateway.TestKit;

/// <summary>Reads what a statement says in words, such as a plan.</summary>
public static class Texts
{
    /// <summary>The first column of each row.</summary>
    public static async Task<IReadOnlyList<string>> TextsAsync(this NpgsqlCommand command)
    {
        var texts = new List<string>();
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            texts.Add(reader.GetString(0));
        }

        return texts;
    }
}
