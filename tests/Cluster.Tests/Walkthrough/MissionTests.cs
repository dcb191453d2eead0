using System.Text.Json;
using Gateway.Cluster.Tests.Calls;
using Gateway.Cluster.Tests.Clusters;
using Gateway.TestKit;

namespace Gateway.Cluster.Tests.Walkthrough;

/// <summary>The mission's walk-through, word for word: the acceptance test that comes before all others.</summary>
[Collection(MissionCollection.Name)]
public sealed class MissionTests(MissionCluster cluster)
{
    private const string PythonClient = """
        import requests

        headers = {
            "Authorization": "Bearer team-alpha-token",
            "Content-Type": "application/json"
        }
        payload = {
            "model": "gpt-4",
            "messages": [{"role": "user", "content": "Hello!"}]
        }
        response = requests.post("http://gateway:4000/chat/completions",
                                json=payload, headers=headers)
        print(response.json())
        """;

    // The same headers and the same payload, for a Python without the package.
    private const string PlainPythonClient = """
        import json, urllib.request

        headers = {
            "Authorization": "Bearer team-alpha-token",
            "Content-Type": "application/json"
        }
        payload = {
            "model": "gpt-4",
            "messages": [{"role": "user", "content": "Hello!"}]
        }
        request = urllib.request.Request("http://gateway:4000/chat/completions",
                                         data=json.dumps(payload).encode(), headers=headers)
        print(json.loads(urllib.request.urlopen(request).read()))
        """;

    /// <summary>Which client can run here: it stands in the test's name.</summary>
    public static TheoryData<string> Client
    {
        get
        {
            try
            {
                var (exitCode, _, _) = LocalProgram.RunAsync("python3", ["-c", "import requests"]).GetAwaiter().GetResult();
                return [exitCode == 0 ? "requests" : "urllib, since this python3 has no requests"];
            }
            catch (System.ComponentModel.Win32Exception)
            {
                return ["requests"];
            }
        }
    }

    [Fact]
    public void The_repository_s_configuration_is_the_mission_s() =>
        Assert.Equal(MissionCluster.Config.Trim(), File.ReadAllText(Path.Combine(GatewayCluster.Repository, "config.yaml")).Trim());

    [Theory]
    [MemberData(nameof(Client))]
    public async Task The_mission_s_Python_client_gets_its_answer(string client)
    {
        var program = (client == "requests" ? PythonClient : PlainPythonClient)
            .Replace("http://gateway:4000", $"http://localhost:{cluster.Gateway.Port}", StringComparison.Ordinal)
            // Python's own form of a dictionary is not JSON: the last line is read here as JSON instead.
            .Replace("print(response.json())", "import json; print(json.dumps(response.json()))", StringComparison.Ordinal)
            .Replace("print(json.loads(urllib.request.urlopen(request).read()))", "print(json.dumps(json.loads(urllib.request.urlopen(request).read())))", StringComparison.Ordinal);

        var (exitCode, output, errors) = await LocalProgram.RunAsync("python3", ["-"], program);

        Assert.True(exitCode == 0, errors);
        var answer = JsonElement.Parse(output);
        Assert.Equal("chat.completion", answer.GetProperty("object").GetString());
        Assert.Equal("gpt-4", answer.GetProperty("model").GetString());
        Assert.NotEmpty(answer.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString()!);
        Assert.True(answer.GetProperty("usage").GetProperty("total_tokens").GetInt64() > 0);
    }

    [Fact]
    public async Task An_operator_s_curl_sees_requests_tokens_cost_latency_and_the_budget_left_and_no_key()
    {
        using var team = cluster.Team("team-alpha-token");
        (await team.ChatAsync("gpt-4")).IsOk();

        var metrics = await Eventually.Is(
            async () => (await LocalProgram.RunAsync("curl", ["-sS", "--fail", $"http://localhost:{cluster.Gateway.Port}/metrics"])).Output,
            static text => text.Contains("gateway_cost_dollars_total{", StringComparison.Ordinal),
            "the cost is in the metrics");

        string[] lines = [.. metrics.Split('\n').Where(static line => !line.StartsWith('#'))];
        void Has(string name, params string[] labels) => Assert.Contains(lines, line =>
            line.StartsWith(name + "{", StringComparison.Ordinal) && labels.All(label => line.Contains(label, StringComparison.Ordinal)) && !line.EndsWith(" 0", StringComparison.Ordinal));
        Has("gateway_requests_total", "model=\"gpt-4\"", "provider=\"openai\"", "team=\"team-alpha\"", "key_alias=\"team-alpha\"", "status=\"200\"");
        Has("gateway_tokens_total", "model=\"gpt-4\"", "type=\"input\"");
        Has("gateway_tokens_total", "model=\"gpt-4\"", "type=\"output\"");
        Has("gateway_cost_dollars_total", "team=\"team-alpha\"");
        Has("gateway_request_duration_seconds_count", "model=\"gpt-4\"");
        Has("gateway_time_to_first_token_seconds_count", "model=\"gpt-4\"");
        Has("gateway_overhead_duration_seconds_count");
        Has("gateway_budget_remaining_ratio", "owner=\"team-alpha\"", "scope=\"user\"");
        Assert.DoesNotContain("team-alpha-token", metrics, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_request_is_logged_with_its_tokens_and_its_cost_and_deducted_from_the_budget()
    {
        using var team = cluster.Team("team-alpha-token");
        var answer = await team.ChatAsync("gpt-4", "Log this.");

        var row = await cluster.Books.RowOfAsync(answer.RequestId);
        var usage = answer.Json.GetProperty("usage");
        Assert.Equal(answer.Cost, row.Cost);
        Assert.Equal(usage.GetProperty("prompt_tokens").GetInt64(), row.Input);
        Assert.Equal(usage.GetProperty("completion_tokens").GetInt64(), row.Output);

        var logs = await cluster.Admin.GetAsync("/spend/logs?api_key=team-alpha-token");
        var log = logs.EnumerateArray().Single(entry => entry.GetProperty("request_id").GetString() == answer.RequestId.ToString());
        Assert.Equal(answer.Cost, log.GetProperty("spend").GetDecimal() * 1_000_000_000);
        Assert.Equal(usage.GetProperty("total_tokens").GetInt64(), log.GetProperty("total_tokens").GetInt64());
        Assert.NotEqual("team-alpha-token", log.GetProperty("api_key").GetString());

        // All of the team's requests, whichever test made them: the budget's window has exactly what the journal has.
        await Eventually.Is(
            async () => (Journal: await cluster.Books.JournalAsync("user/team-alpha"), Window: await cluster.Books.WindowAsync("user/team-alpha")),
            static books => books.Window is { Leased: 0 } window && window.Spent == books.Journal.Cost && books.Journal.Cost > 0 && window.Limit == 500_000_000_000,
            "the budget of 500 dollars has the journal's sum spent");
    }
}
