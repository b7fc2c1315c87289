using System.Collections.Concurrent;
using System.Reflection;

namespace Resources.Domain.Tests;

/// <summary>Which folder of a project may use which other one.</summary>
public class FolderTests
{
    static readonly ConcurrentDictionary<string, Lazy<FolderGraph>> Graphs = new();

    static FolderGraph Of(string project) => Graphs.GetOrAdd(project, name => new(() => new(name))).Value;

    [Theory, InlineData("Grains"), InlineData("Projections"), InlineData("Silo"), InlineData("Api")]
    public void Folders_of_a_project_have_no_cycle(string project) => Assert.Null(Of(project).Cycle());

    /// <summary>What a folder may use beside itself.</summary>
    [Theory]
    [InlineData("Grains", "Access", "Accounts Json Log")]
    [InlineData("Grains", "Accounts", "Access Json Log")]
    [InlineData("Grains", "Sessions", "Access Accounts Json Log")]
    [InlineData("Grains", "Resources", "Access Json Log Types")]
    [InlineData("Grains", "Types", "Access Json Log Schemas")]
    [InlineData("Grains", "Subscriptions", "Json Log")]
    [InlineData("Grains", "Documents", "Log")]
    [InlineData("Grains", "Limits", "Log")]
    [InlineData("Grains", "Log", "Json")]
    [InlineData("Grains", "Schemas", "Json")]
    [InlineData("Grains", "Json", "")]
    [InlineData("Projections", "Access", "Log")]
    [InlineData("Projections", "Accounts", "Access Log")]
    [InlineData("Projections", "Resources", "Access Filters Followers Log")]
    [InlineData("Projections", "Subscriptions", "Access Log")]
    [InlineData("Projections", "Followers", "Log")]
    [InlineData("Projections", "Types", "Log Resources")]
    [InlineData("Projections", "Documents", "Log")]
    [InlineData("Projections", "Filters", "")]
    [InlineData("Projections", "Log", "")]
    [InlineData("Silo", "Accounts", "")]
    [InlineData("Silo", "Resources", "")]
    [InlineData("Silo", "Subscriptions", "Delivery")]
    [InlineData("Silo", "Delivery", "")]
    [InlineData("Silo", "Documents", "")]
    [InlineData("Silo", "Types", "Resources")]
    [InlineData("Silo", "Access", "")]
    [InlineData("Silo", "Followers", "")]
    [InlineData("Silo", "Limits", "")]
    [InlineData("Silo", "Log", "")]
    [InlineData("Silo", "Streams", "")]
    [InlineData("Silo", "Schema", "")]
    [InlineData("Silo", "Embedded", "")]
    [InlineData("Api", "Http", "")]
    [InlineData("Api", "OpenApi", "Http Limits")]
    [InlineData("Api", "Limits", "Http")]
    [InlineData("Api", "Tokens", "Http OpenApi")]
    [InlineData("Api", "Mail", "Http")]
    [InlineData("Api", "Access", "Http OpenApi Tokens")]
    [InlineData("Api", "Streams", "Access Http Limits")]
    [InlineData("Api", "Accounts", "Access Http Limits Mail OpenApi Tokens")]
    [InlineData("Api", "SignIn", "Access Accounts Http Limits OpenApi Tokens")]
    [InlineData("Api", "Resources", "Access Http Limits OpenApi Streams")]
    [InlineData("Api", "Types", "Access Events Graph Http OpenApi Resources")]
    [InlineData("Api", "Events", "Access Http Limits OpenApi Resources Streams")]
    [InlineData("Api", "Subscriptions", "Access Http Limits OpenApi")]
    [InlineData("Api", "Graph", "Access Events Http Limits OpenApi Resources Streams")]
    [InlineData("Api", "Operations", "Access Accounts Graph Http OpenApi Tokens")]
    public void Folder_uses_only_what_lies_below_it(string project, string folder, string allowed) =>
        Assert.All(Of(project).Uses().Where(use => use.From == folder), use =>
            Assert.True(allowed.Split(' ').Contains(use.To), $"{use.Where} is of {use.To}.")
        );

    /// <summary>A folder that the table does not name would be free to use anything.</summary>
    [Theory, InlineData("Grains"), InlineData("Projections"), InlineData("Silo"), InlineData("Api")]
    public void Every_folder_is_named(string project)
    {
        var named = typeof(FolderTests)
            .GetMethod(nameof(Folder_uses_only_what_lies_below_it))!
            .GetCustomAttributes<InlineDataAttribute>()
            .Select(row => row.Data)
            .Where(row => Equals(row[0], project))
            .Select(row => (string)row[1]!);
        var folders = Repository
            .Sources($"src/{project}")
            .Select(path => path.Split('/'))
            .Where(parts => parts.Length > 3)
            .Select(parts => parts[2])
            .Distinct();
        Assert.Equal(folders.Order(StringComparer.Ordinal), named.Order(StringComparer.Ordinal));
    }

    /// <summary>Whoever compared one elsewhere would not count the wrong ones.</summary>
    [Fact]
    public void Passwords_are_compared_by_their_guard_only() =>
        Assert.Equal(
            ["src/Api/Accounts/PasswordGuard.cs"],
            Repository
                .Sources("src/Api")
                .Where(path => Repository.Read(path).Contains("passwords.VerifyAsync(", StringComparison.Ordinal))
        );

    [Fact]
    public void Secrets_of_accounts_are_opened_behind_the_Api() =>
        Assert.DoesNotContain(Repository.Sources("src/Api"), path =>
            Repository.Read(path).Contains("Vault ", StringComparison.Ordinal)
        );
}
