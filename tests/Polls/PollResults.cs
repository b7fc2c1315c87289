using JasperFx.Events;
using Marten;
using Marten.Events.Projections;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Polls;

/// <summary>A poll as lists show it.</summary>
public sealed record PollResult(Guid Id, string Question, long Votes, bool Closed);

/// <summary>Keeps one generation of the read model <c>poll_results</c>.</summary>
public sealed class PollResultsProjection(int generation) : IProjection
{
    public static readonly ReadModel Model = new("poll_results", "poll", number => new PollResultsProjection(number));

    readonly string table = $"poll_results_{generation}";

    public Task ApplyAsync(IDocumentOperations operations, IReadOnlyList<IEvent> events, CancellationToken cancellation)
    {
        foreach (var stored in events)
            switch (stored.Data)
            {
                case PollOpened e:
                    operations.QueueSqlCommand(
                        $"insert into {table} (id, question) values (?, ?)",
                        stored.StreamId,
                        e.Question
                    );
                    break;
                case PollVoted:
                    operations.QueueSqlCommand($"update {table} set votes = votes + 1 where id = ?", stored.StreamId);
                    break;
                case PollClosed:
                    operations.QueueSqlCommand($"update {table} set closed = true where id = ?", stored.StreamId);
                    break;
            }
        return Task.CompletedTask;
    }
}

/// <summary>Lists polls.</summary>
public sealed class PollQueries(ReadsDb reads)
{
    /// <summary>The polls with the most votes.</summary>
    public Task<List<PollResult>> TopAsync(CancellationToken ct) =>
        reads.QueryAsync(
            "select id, question, votes, closed from poll_results order by votes desc, id limit 20",
            [],
            static row => new PollResult(row.GetGuid(0), row.GetString(1), row.GetInt64(2), row.GetBoolean(3)),
            ct
        );
}
