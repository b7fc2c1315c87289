using System.Text.RegularExpressions;
using Resources.Tests;

namespace Resources.Api.Tests;

/// <summary>
/// docs/tutorial.md, and docs/GRAPHQL.md behind it, pasted into a shell block by block, beside a server that has nothing in it.
/// </summary>
public sealed partial class TutorialTests(Backend backend)
{
    const char Shortened = '…';

    /// <summary>Parts the output of the blocks.</summary>
    const string Mark = "--- block ---";

    [Fact]
    public async Task Every_line_of_the_tutorial_is_answered_as_it_says()
    {
        await using var server = await backend.StartServerAsync(("Bootstrap:AdminEmail", "admin@localhost"));
        var steps = StepsOf(Repository.Read("docs/tutorial.md") + Repository.Read("docs/GRAPHQL.md"));
        Assert.NotEmpty(steps);
        Assert.All(steps.Skip(1), step => Assert.NotEmpty(step.Commands));
        using var directory = new TestDirectory();
        var script = Path.Combine(directory.Path, "tutorial.sh");
        await File.WriteAllTextAsync(
            script,
            string.Concat(steps.Select(step => $"{step.Commands}\necho '{Mark}'\n")),
            TestContext.Current.CancellationToken
        );
        var output = await Tool.RunAsync(
            directory.Path,
            "env",
            $"API={server.Address}api/v1",
            $"PASSWORD={InProcessServer.AdminPassword}",
            "bash",
            "-eu",
            script
        );
        var answers = output.Split(Mark);
        string[] missing =
        [
            .. from step in steps.Zip(answers)
            from line in step.First.Answers
            where !step.Second.Split('\n').Any(answer => Has(answer, line))
            select $"{line}\nis not in\n{step.Second}",
        ];
        Assert.True(missing is [], string.Join('\n', missing));
    }

    /// <summary>Whether an answer has the parts that a line shows, in their order.</summary>
    static bool Has(string answer, string line)
    {
        var at = 0;
        foreach (var part in line.Split(Shortened, StringSplitOptions.TrimEntries))
        {
            if (answer.IndexOf(part, at, StringComparison.Ordinal) is not (>= 0 and var found))
                return false;
            at = found + part.Length;
        }
        return true;
    }

    static List<(string Commands, string[] Answers)> StepsOf(string text) =>
        [
            .. Blocks()
                .Matches(text)
                .Select(block =>
                    (
                        block.Groups["sh"].Value,
                        block.Groups["text"].Value.Split('\n', StringSplitOptions.RemoveEmptyEntries)
                    )
                ),
        ];

    /// <summary>Commands, and what is answered where it is shown.</summary>
    [GeneratedRegex(@"```sh\n(?<sh>.*?)```(\n\n```text\n(?<text>.*?)```)?", RegexOptions.Singleline)]
    private static partial Regex Blocks();
}
