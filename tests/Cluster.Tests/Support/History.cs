using Npgsql;

namespace Resources.Cluster.Tests;

/// <summary>
/// The responses that clients got, compared with the log. Versions order the writes of a resource. So an execution is
/// linearizable if a request that began after a response never sees an older version.
/// </summary>
internal sealed class History(IReadOnlyCollection<Operation> operations)
{
    public IReadOnlyCollection<Operation> Operations => operations;

    /// <summary>Checks every promise about acknowledged writes and reads.</summary>
    /// <param name="logs">What the nodes have written, for the message of a failure.</param>
    public async Task CheckAsync(string connectionString, Func<string> logs)
    {
        var log = await ReadLogAsync(connectionString);
        var writes = operations.Where(operation => operation is { Succeeded: true, Kind: not Kind.Get }).ToArray();
        TestContext.Current.SendDiagnosticMessage(
            $"{operations.Count} requests, {writes.Length} writes acknowledged, "
                + $"{operations.Count(operation => operation.Status is null)} without an answer, "
                + $"{operations.Count(operation => (int?)operation.Status is 503)} answered 503, "
                + $"{log.Values.Sum(names => names.Count)} events"
        );

        foreach (var write in writes)
            Assert.True(
                log.TryGetValue(write.Resource, out var names)
                    && names.Count >= write.Version
                    && names[(int)write.Version - 1] == write.Name,
                $"An acknowledged write is not in the log at its version: {write}"
            );
        foreach (var read in operations.Where(operation => operation is { Succeeded: true, Kind: Kind.Get }))
            Assert.True(
                log[read.Resource].Count >= read.Version && log[read.Resource][(int)read.Version - 1] == read.Seen,
                $"A read tells what never was: {read}"
            );
        var twice = log
            .Values.SelectMany(names => names)
            .CountBy(name => name)
            .Where(count => count.Value > 1)
            .Select(count => count.Key)
            .ToArray();
        Assert.True(twice is [], $"Requests that took effect more than once: {string.Join(", ", twice)}");
        foreach (
            var resource in operations.Where(operation => operation.Succeeded).GroupBy(operation => operation.Resource)
        )
            CheckOrder(resource);
        // Patches of a resource that exists, without a condition: nothing but success, or an answer that says that the
        // outcome is unknown.
        var strange = operations
            .Where(operation => operation is { Succeeded: false, Status: not null } && (int)operation.Status is not 503)
            .ToArray();
        Assert.True(
            strange is [],
            string.Join('\n', strange.Take(10).Select(operation => operation.ToString())) + logs()
        );
    }

    // In order of the answers, the highest version told so far bounds from below what later requests may be told.
    static void CheckOrder(IEnumerable<Operation> ofOneResource)
    {
        var byAnswer = ofOneResource.OrderBy(operation => operation.Returned).ToArray();
        var next = 0;
        var highest = 0L;
        var told = (Operation?)null;
        foreach (var operation in byAnswer.OrderBy(operation => operation.Invoked))
        {
            for (; byAnswer[next].Returned < operation.Invoked; next++)
                if (byAnswer[next].Version > highest)
                {
                    highest = byAnswer[next].Version;
                    told = byAnswer[next];
                }
            // A write that was repeated with its key is told its first answer.
            if (operation.Kind is Kind.Get)
                Assert.True(operation.Version >= highest, $"A stale read: {operation}\nafter {told}");
        }
    }

    static async Task<Dictionary<Guid, List<string>>> ReadLogAsync(string connectionString)
    {
        await using var source = NpgsqlDataSource.Create(connectionString);
        await using var command = source.CreateCommand(
            "select stream_id, version, data ->> 'name' from mt_events where type like 'resource.%' order by stream_id, version"
        );
        var log = new Dictionary<Guid, List<string>>();
        await using var row = await command.ExecuteReaderAsync();
        while (await row.ReadAsync())
        {
            if (!log.TryGetValue(row.GetGuid(0), out var names))
                log[row.GetGuid(0)] = names = [];
            names.Add(row.GetString(2));
            Assert.Equal(names.Count, row.GetInt64(1));
        }
        return log;
    }
}
