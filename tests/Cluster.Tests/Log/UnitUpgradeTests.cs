using Npgsql;
using Resources.Grains;
using Resources.Silo;

namespace Resources.Cluster.Tests;

/// <summary>Units come to a database whose nodes know none. Those go on through the function that they know.</summary>
public sealed class UnitUpgradeTests(TestPostgres postgres)
{
    static readonly DateTimeOffset Later = DateTimeOffset.MaxValue.AddYears(-1);

    readonly Guid target = Guid.CreateVersion7();

    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Unit_ends_what_nodes_without_units_have_made()
    {
        var database = await postgres.CreateDatabaseAsync();
        await Former(database).ApplyAsync(Cancelled);
        var (before, after) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        Assert.Equal(0, await CreateAsync(database, target));
        Assert.Equal(0, await CreateAsync(database, before));

        await Silo.Schema.Of(database, []).ApplyAsync(Cancelled);

        Assert.Equal(0, await CreateAsync(database, after));
        await using var node = await StandaloneLog.StartAsync(
            await LogDatabase.OpenAsync(database, applySchema: false)
        );
        Assert.Equal(
            new Withheld(target, new StillReferenced()),
            await node.Log.AppendUnitAsync([Deletes(before), Deletes(target)], Later)
        );
        Assert.IsType<Appended>(
            await node.Log.AppendUnitAsync([Deletes(before), Deletes(after), Deletes(target)], Later)
        );
        // What it refers to is not there any more.
        Assert.Equal(4, await CreateAsync(database, Guid.CreateVersion7()));
    }

    [Fact]
    public async Task Upgraded_schema_is_that_of_a_fresh_database()
    {
        var (upgraded, fresh) = (await postgres.CreateDatabaseAsync(), await postgres.CreateDatabaseAsync());
        await Former(upgraded).ApplyAsync(Cancelled);

        foreach (var database in new[] { upgraded, fresh })
            await Silo.Schema.Of(database, []).ApplyAsync(Cancelled);

        Assert.Equal(await SchemaText.ReadAsync(fresh), await SchemaText.ReadAsync(upgraded));
    }

    /// <summary>The schema before units.</summary>
    static Silo.Schema Former(string database) =>
        new(
            database,
            [
                MartenPart.Of(database),
                .. SchemaScript.Of([]).Where(script => string.CompareOrdinal(script.Name, "133") < 0),
            ]
        );

    UnitMember Deletes(Guid stream) =>
        new(
            stream,
            1,
            [new ResourceDeleted()],
            new(Guid.CreateVersion7(), "tester", null, null, Conditions.None),
            new(null, [], [new(1, target, "t", false, "/metadata/other")], true)
        );

    /// <summary>Creates a resource that refers to the target, as a node does that knows no units. Answers the outcome.</summary>
    async Task<short> CreateAsync(string database, Guid stream)
    {
        await using var connection = new NpgsqlConnection(database);
        await connection.OpenAsync(Cancelled);
        await using var command = new NpgsqlCommand(
            """
            select outcome from append_events(
                array[$1], array[0], array[1], array['command'], array['tester'], array[null], array[null]::jsonb[],
                array[1], array[gen_random_uuid()], array['resource.created'], array['Resources.Grains.ResourceCreated, Resources.Grains'],
                array['{"type": "t"}'::jsonb], array[0], '{}', '{}', '{}', '{}', '{}', '{}', '{}',
                array[1], array[1], array[$2], array['t'], array[true], '{}')
            """,
            connection
        );
        command.Parameters.Add(new() { Value = stream });
        command.Parameters.Add(new() { Value = target });
        return (short)(await command.ExecuteScalarAsync(Cancelled))!;
    }
}
