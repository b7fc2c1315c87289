using Npgsql;
using NpgsqlTypes;

namespace Resources.Cluster.Tests;

/// <summary>
/// A call of <c>append_events</c> by another client, whose transaction may be slow, aborted or repeated. Each stream
/// gets one event per event id.
/// </summary>
internal sealed class AppendCall(params (Guid Stream, long Expected, Guid[] Events)[] streams)
{
    /// <summary>The result for one stream.</summary>
    public sealed record Outcome(bool Appended, long Version, long[]? Positions);

    public async Task<List<Outcome>> RunAsync(NpgsqlConnection connection)
    {
        await using var command = new NpgsqlCommand(
            "select appended, version, positions from append_events($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) order by ordinal",
            connection
        );
        var events = streams
            .SelectMany((stream, index) => stream.Events.Select(id => (Stream: index + 1, Id: id)))
            .ToArray();
        Add(command, streams, stream => stream.Stream);
        Add(command, streams, stream => stream.Expected);
        Add(command, streams, stream => stream.Events.Length);
        Add(command, streams, _ => Guid.CreateVersion7().ToString());
        Add(command, streams, _ => "stranger");
        Add(command, streams, _ => "none");
        Add(command, streams, _ => "null", NpgsqlDbType.Jsonb);
        Add(command, events, one => one.Stream);
        Add(command, events, one => one.Id);
        Add(command, events, _ => "resource.renamed");
        Add(command, events, _ => "Resources.Grains.ResourceRenamed, Resources.Grains");
        Add(command, events, one => $$"""{"name":"{{one.Id}}"}""", NpgsqlDbType.Jsonb);

        var outcomes = new List<Outcome>();
        await using var row = await command.ExecuteReaderAsync();
        while (await row.ReadAsync())
            outcomes.Add(
                new(row.GetBoolean(0), row.GetInt64(1), row.IsDBNull(2) ? null : row.GetFieldValue<long[]>(2))
            );
        return outcomes;
    }

    static void Add<TItem, T>(NpgsqlCommand command, TItem[] items, Func<TItem, T> part, NpgsqlDbType? element = null)
    {
        var parameter = new NpgsqlParameter<T[]> { TypedValue = Array.ConvertAll(items, item => part(item)) };
        if (element is { } type)
            parameter.NpgsqlDbType = NpgsqlDbType.Array | type;
        command.Parameters.Add(parameter);
    }
}
