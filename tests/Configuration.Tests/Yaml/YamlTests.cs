using System.Text;

namespace Gateway.Configuration.Tests.Yaml;

public sealed class YamlTests
{
    [Theory]
    [InlineData("model_list:\n  - model_name: 'open\n", 2)]
    [InlineData("model_list: [\n", 1)]
    [InlineData("a: b: c\n", 1)]
    [InlineData("a:\n\t- b\n", 1)]
    public void Text_that_is_not_YAML_is_an_error_near_its_line(string yaml, int line)
    {
        var error = Config.Development(yaml).OnlyError();
        Assert.InRange(error.Line, line, line + 2);
        Assert.StartsWith("this is not YAML: ", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("# nothing\n")]
    [InlineData("---\n")]
    public void An_empty_file_is_an_error(string yaml) => Assert.Equal("the file is empty.", Config.Development(yaml).OnlyError().Message);

    [Fact]
    public void Anchors_aliases_and_merges_work()
    {
        var config = Config.Development("""
            model_list:
              - model_name: a
                litellm_params: &shared {model: openai/gpt-4, rpm: 5, timeout: 9}
              - model_name: b
                litellm_params: {<<: *shared, rpm: 7}
            """).Good();

        Assert.Equal((7L, TimeSpan.FromSeconds(9)), (config.Models[1].Rpm, config.Models[1].Timeout));
    }

    [Fact]
    public void A_billion_laughs_are_refused_at_once()
    {
        var yaml = new StringBuilder("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for (var i = 1; i < 30; i++)
        {
            yaml.Append($"a{i}: &a{i} [{string.Join(", ", Enumerable.Repeat($"*a{i - 1}", 10))}]\n");
        }

        Assert.Contains("more than 500000 values", Config.Development(yaml.ToString()).OnlyError().Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Deep_nesting_is_refused() =>
        Assert.Contains("nested more than 40 deep", Config.Development(new string('[', 5_000)).OnlyError().Message, StringComparison.Ordinal);

    [Fact]
    public void An_alias_around_itself_is_an_error() =>
        Assert.Contains(Config.Development("model_list: &m [*m]").Errors, error => error.Message.Contains("has no anchor before it", StringComparison.Ordinal));

    [Fact]
    public void A_file_that_is_too_large_is_not_read() =>
        Assert.Contains("larger than 8 MiB", Config.Development(new string('#', ConfigReader.FileBytesMax + 1)).OnlyError().Message, StringComparison.Ordinal);

    [Fact]
    public void A_file_that_is_not_there_is_an_error() =>
        Assert.Equal("there is no such file.", ConfigReader.ReadFile("/no/such/config.yaml", Config.Environment("Development")).OnlyError().Message);

    [Fact]
    public void Problems_are_bounded()
    {
        var result = Config.Development("model_list: [" + string.Join(", ", Enumerable.Repeat("x", 5_000)) + "]");
        Assert.Equal(1_000, result.Errors.Count);
    }
}
