using Resources.Grains;

namespace Resources.Cluster.Tests;

/// <summary>What former rules of types have left is deleted, in the background or by whoever meets it.</summary>
public sealed class TypeLeftoverTests(LogDatabase database) : IClassFixture<LogDatabase>
{
    readonly string type = $"t{Guid.NewGuid():n}";

    static Intent Intend() => new(Guid.CreateVersion7(), "alice", null, null, Conditions.None);

    ResourceCreated Created => new(type, "n", "active", JsonText.Empty, "alice");

    async Task<long> CountAsync(string sql, params object[] arguments) =>
        (long)(await database.ExecuteAsync(sql, arguments))!;

    [Fact]
    public async Task Declaration_that_was_given_up_is_swept_by_a_node_that_starts_later()
    {
        var (stream, change, source) = (TypeState.StreamOf(type), Guid.CreateVersion7(), Guid.CreateVersion7());
        await using (var node = await database.StartLogAsync())
        {
            await node.Log.AppendAsync(source, 0, [Created], Intend());
            await node.Log.AppendAsync(
                stream,
                0,
                [
                    new TypeChangeProposed(
                        type,
                        change,
                        ProposalKind.Declaration,
                        JsonText.Empty,
                        new() { ["a"] = 1, ["/metadata/b"] = 2 }
                    ),
                    new TypeChangeAbandoned(change, AbandonReason.Withdrawn, 0, 0, []),
                ],
                Intend()
            );
        }
        await database.ExecuteAsync("insert into type_changes (type, change) values ($1, $2)", stream, change);
        await database.ExecuteAsync(
            "insert into unique_claims (scope, rule, value, resource) values ($1, 1, '', $2)",
            stream,
            source
        );
        await database.ExecuteAsync(
            "insert into resource_references (source, field, target) values ($1, 2, $2)",
            source,
            Guid.CreateVersion7()
        );

        await using var silo = await InProcessSilo.StartAsync(database, type);

        await Eventually.HoldsAsync(
            async () =>
                await CountAsync("select count(*) from type_changes where type = $1", stream) is 0
                && await CountAsync("select count(*) from unique_claims where scope = $1", stream) is 0
                && await CountAsync("select count(*) from resource_references where source = $1", source) is 0
                && await CountAsync("select count(*) from swept_type_rules where type = $1", stream) is 2,
            TimeSpan.FromSeconds(30),
            () => "nothing is left of the declaration"
        );
    }

    [Fact]
    public async Task Resource_is_deleted_however_many_former_references_lead_to_it()
    {
        var target = Guid.CreateVersion7();
        var sources = Enumerable.Range(0, 2_500).Select(_ => Guid.CreateVersion7()).ToArray();
        await using (var node = await database.StartLogAsync())
            await Task.WhenAll(
                sources.Prepend(target).Select(stream => node.Log.AppendAsync(stream, 0, [Created], Intend()))
            );
        // As of a rule that nobody knows any more.
        await database.ExecuteAsync(
            "insert into resource_references (source, field, target) select source, 1, $2 from unnest($1) source",
            sources,
            target
        );
        await using var silo = await InProcessSilo.StartAsync(database, type);

        var deleted = await silo.Resource(target).Execute(new DeleteResource(), Intend());

        Assert.Null(deleted.Rejection);
        Assert.Equal(0, await CountAsync("select count(*) from resource_references where target = $1", target));
    }
}
