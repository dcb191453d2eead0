using Gateway.Launcher.Running;
using Gateway.Launcher.Servers;

namespace Gateway.AppHost.Tests.Running;

public sealed class DataFolderTests
{
    [Fact]
    public void A_second_launcher_on_the_same_folder_is_refused_until_the_first_has_left()
    {
        var path = Fake.Folder();
        using (DataFolder.Open(path))
        {
            var error = Assert.Throws<LaunchException>(() => DataFolder.Open(path));
            Assert.Contains(path, error.Message, StringComparison.Ordinal);
            Assert.Contains("--data", error.Message, StringComparison.Ordinal);
        }

        DataFolder.Open(path).Dispose();
    }

    [Fact]
    public void A_secret_is_made_once_kept_and_readable_by_its_owner_only()
    {
        using var data = DataFolder.Open(Fake.Folder());
        var first = data.Secrets.GetOrAdd("master-key", () => "made once");
        Assert.Equal("made once", first);
        Assert.Equal("made once", data.Secrets.GetOrAdd("master-key", () => "made again"));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(data.Secrets.PathOf("master-key")));
    }

    [Fact]
    public async Task What_a_crashed_launcher_left_is_ended_with_all_below_it()
    {
        var folder = Fake.Folder();
        await using var left = LocalProcess.Start(new ProcessSpec("left", "/bin/sh", ["-c", "sleep 1000 & sleep 1000"]));
        await Fake.UntilAsync(() => ProcessTree.Descendants(left.Id).Count == 2, "both run");
        var below = ProcessTree.Descendants(left.Id);
        new StartedProcesses(folder).Add("left", left.Id);

        Assert.Equal(["left"], await new StartedProcesses(folder).SweepAsync(default));
        Assert.False(ProcessTree.IsAlive(left.Id));
        Assert.DoesNotContain(below, ProcessTree.IsAlive);
        Assert.Empty(Directory.GetFiles(folder));
    }

    [Fact]
    public async Task A_process_that_only_has_the_same_number_is_left_alone()
    {
        var folder = Fake.Folder();
        await using var other = LocalProcess.Start(new ProcessSpec("other", "/bin/sh", ["-c", "sleep 1000"]));
        var notes = new StartedProcesses(folder);
        notes.Add("other", other.Id);
        var note = Directory.GetFiles(folder).Single();
        var fields = (await File.ReadAllTextAsync(note)).Split(' ');
        fields[1] = "1";
        await File.WriteAllTextAsync(note, string.Join(' ', fields));

        Assert.Empty(await notes.SweepAsync(default));
        Assert.True(ProcessTree.IsAlive(other.Id));
    }
}
