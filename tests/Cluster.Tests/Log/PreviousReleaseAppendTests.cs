using Npgsql;
using Resources.Grains;

namespace Resources.Cluster.Tests;

/// <summary>
/// Appends of nodes of the previous release beside those of this one: they go on for types that nobody declared.
/// </summary>
public sealed class PreviousReleaseAppendTests(LogDatabase database) : IClassFixture<LogDatabase>
{
    readonly string type = $"t{Guid.CreateVersion7():n}";

    [Fact]
    public async Task They_write_what_the_log_reads_and_are_told_of_stale_versions()
    {
        await using var node = await database.StartLogAsync();
        var stream = Guid.CreateVersion7();

        Assert.True(await CreateAsync(stream));
        Assert.True(await RenameAsync(stream, 1));
        Assert.False(await RenameAsync(stream, 1));

        Assert.Equal(["created", "renamed"], await database.NamesAsync(stream));
        Assert.NotNull(await node.AppendAsync(stream, 2, "by this release"));
    }

    [Theory]
    [InlineData(new[] { "type.changed" }, true)]
    [InlineData(new[] { "type.change_proposed" }, true)]
    [InlineData(new[] { "type.change_proposed", "type.changed" }, true)]
    [InlineData(new[] { "type.changed", "type.change_proposed", "type.migration_begun" }, true)]
    [InlineData(new[] { "type.changed", "type.change_proposed", "type.change_abandoned" }, true)]
    [InlineData(new[] { "type.change_proposed", "type.change_abandoned" }, false)]
    [InlineData(new[] { "type.changed", "type.deleted" }, false)]
    [InlineData(new[] { "type.changed", "type.deleted", "type.change_proposed", "type.change_abandoned" }, false)]
    [InlineData(new[] { "type.changed", "type.deleted", "type.changed" }, true)]
    public async Task They_write_no_resource_of_a_declared_type(string[] history, bool isDeclared)
    {
        var stream = Guid.CreateVersion7();
        Assert.True(await CreateAsync(stream));
        for (var i = 0; i < history.Length; i++)
            Assert.True(await AppendAsync(DerivedId.Of("type", type), i, history[i], "{}"));

        Task<bool>[] writes = [CreateAsync(Guid.CreateVersion7()), RenameAsync(stream, 1)];

        foreach (var write in writes)
            if (isDeclared)
                Assert.Equal("0A000", (await Assert.ThrowsAsync<PostgresException>(() => write)).SqlState);
            else
                Assert.True(await write);
        Assert.True(await AppendAsync(Guid.CreateVersion7(), 0, "role.created", $$"""{"type": "{{type}}"}"""));
        Assert.True(await CreateAsync(Guid.CreateVersion7(), type + "x"));
    }

    [Theory]
    [InlineData("book")]
    [InlineData("purchase-order")]
    [InlineData("größe")]
    public async Task The_database_knows_the_stream_of_a_type(string name) =>
        Assert.Equal(DerivedId.Of("type", name), await database.ExecuteAsync("select type_stream($1)", name));

    Task<bool> CreateAsync(Guid stream, string? of = null) =>
        AppendAsync(stream, 0, "resource.created", $$"""{"type": "{{of ?? type}}", "name": "created"}""");

    Task<bool> RenameAsync(Guid stream, long expected) =>
        AppendAsync(stream, expected, "resource.renamed", """{"name": "renamed"}""");

    /// <summary>Appends one event as a node of the previous release does; whether it was.</summary>
    async Task<bool> AppendAsync(Guid stream, long expected, string kind, string body) =>
        (bool)
            (
                await database.ExecuteAsync(
                    """
                    select appended from append_events(
                        array[$1], array[$2], array[1], array['command'], array['tester'], array[null], array[null]::jsonb[],
                        array[1], array[gen_random_uuid()], array[$3], array['Some.Type, Some.Assembly'], array[$4::jsonb])
                    """,
                    stream,
                    expected,
                    kind,
                    body
                )
            )!;
}
