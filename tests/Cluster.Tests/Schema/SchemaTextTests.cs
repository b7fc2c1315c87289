using Resources.Silo;

namespace Resources.Cluster.Tests;

/// <summary>docs/schema.sql shows what the migrations come to.</summary>
public sealed class SchemaTextTests(TestPostgres postgres)
{
    static readonly string Document = Path.Combine(Repository.Root, "docs/schema.sql");

    [Fact]
    public async Task Document_shows_the_schema_as_it_is()
    {
        var database = await postgres.CreateDatabaseAsync();
        await Schema.Of(database, []).ApplyAsync(TestContext.Current.CancellationToken);
        var now = await SchemaText.ReadAsync(database);
        if (Environment.GetEnvironmentVariable("UPDATE_SCHEMA") is "1")
            await File.WriteAllTextAsync(Document, now, TestContext.Current.CancellationToken);

        var shown = File.Exists(Document) ? File.ReadAllText(Document).ReplaceLineEndings("\n") : "";
        string[] was = shown.Split('\n');
        string[] lines = now.Split('\n');
        Assert.True(
            shown == now,
            "docs/schema.sql is not the schema; its first lines say how to write it anew.\n"
                + string.Join('\n', was.Except(lines).Select(line => "- " + line))
                + "\n"
                + string.Join('\n', lines.Except(was).Select(line => "+ " + line))
        );
    }
}
