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
                // By such a state they answer 503, and not 500.
                Assert.True(
                    StoreUnavailableException.Explains(await Assert.ThrowsAsync<PostgresException>(() => write))
                );
            else
                Assert.True(await write);
        Assert.True(await AppendAsync(Guid.CreateVersion7(), 0, "role.created", $$"""{"type": "{{type}}"}"""));
        Assert.True(await CreateAsync(Guid.CreateVersion7(), type + "x"));
    }

    /// <summary>They send each of such a call again by itself, so that writes of free types go on.</summary>
    [Fact]
    public async Task Call_of_several_appends_is_refused_by_a_state_on_which_they_split_it()
    {
        Assert.True(await AppendAsync(DerivedId.Of("type", type), 0, "type.changed", "{}"));

        var refused = await Assert.ThrowsAsync<PostgresException>(() =>
            database.ExecuteAsync(
                """
                select appended from append_events(
                    array[gen_random_uuid(), gen_random_uuid()], array[0, 0], array[1, 1], array['one', 'two'], array['tester', 'tester'],
                    array[null, null], array[null, null]::jsonb[], array[1, 2], array[gen_random_uuid(), gen_random_uuid()],
                    array['resource.created', 'resource.created'], array['Some.Type', 'Some.Type'],
                    array[jsonb_build_object('type', $1::text), jsonb_build_object('type', 'free')])
                """,
                type
            )
        );

        Assert.False(StoreUnavailableException.Explains(refused));
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
