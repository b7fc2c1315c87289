using System.IO.Pipelines;
using System.Text;
using Resources.Projections;

namespace Resources.Api;

/// <summary>
/// A list and what becomes of it, as server-sent events: the whole list at one position, then the resources that enter,
/// change and leave. Where several changes of a resource are at hand at once the newest tells for all. Between two
/// <c>position</c>s the client goes from one consistent list to the next.
/// </summary>
static class ResourceFollowing
{
    const int MaxResources = 10_000;

    /// <summary>
    /// The next changes are looked for no sooner than this, so that a busy log is not asked for each of its events.
    /// </summary>
    static readonly TimeSpan MinDelay = TimeSpan.FromMilliseconds(10);

    static readonly TimeSpan MaxDelay = TimeSpan.FromMilliseconds(250);

    /// <summary>Reports parameters that a list which is followed cannot have.</summary>
    public static void Check(QueryReader query)
    {
        foreach (var name in new[] { "cursor", "limit", "count" })
            if (query.Text(name) is not null)
                query.Fail<string>(name, "cannot be combined with follow");
    }

    /// <summary>Sends the list and its changes until the client leaves or may see it no longer.</summary>
    /// <param name="wanted">The position that the list must have; null = the log's head.</param>
    public static async Task SendAsync(
        HttpContext context,
        ResourceSelection selection,
        ResourceSort sort,
        string? fields,
        long? wanted
    )
    {
        var services = context.RequestServices;
        var resources = services.GetRequiredService<ResourceQueries>();
        var index = services.GetRequiredService<ReadIndex>();
        if (await Consistency.WaitAsync(context, index, wanted) is not { } reached)
            return;
        using var lease = await EventStream.OpenAsync(
            context,
            selection.IncludeDeleted ? [Permissions.ResourceReadDeleted] : []
        );
        if (lease is null)
            return;
        while (true)
        {
            var begun = context.Response.HasStarted;
            using var until = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lease.Changed);
            if (lease.End is not null)
                break;
            var seen = selection with { Visible = lease.Visible };
            try
            {
                var page = await resources.PageAsync(
                    seen,
                    sort,
                    null,
                    MaxResources + 1,
                    CountKind.None,
                    reached.Position,
                    until.Token
                );
                if (page.Rows.Count > MaxResources && !begun)
                {
                    await Problems.InvalidAsync(
                        context,
                        [
                            new(
                                "?follow",
                                "LIST_TOO_LONG",
                                $"Lists of at most {MaxResources} resources can be followed; this one has more. Narrow it."
                            ),
                        ]
                    );
                    return;
                }
                if (!begun)
                    await EventStream.BeginAsync(context);
                if (HttpMethods.IsHead(context.Request.Method) || page.Rows.Count > MaxResources)
                    return;
                await new Follower(context, seen, fields, lease).RunAsync(page, until.Token);
            }
            catch (OperationCanceledException) when (!context.RequestAborted.IsCancellationRequested)
            {
                // What the caller may see has changed, or the stream is over.
            }
            catch (Exception e)
                when (context.Response.HasStarted && e is Grains.StoreUnavailableException or QueryTimeoutException)
            {
                await Task.Delay(MaxDelay, context.RequestAborted);
            }
        }
        await EventStream.EndAsync(context, lease.End.Value);
    }

    /// <summary>One list as one client has it.</summary>
    sealed class Follower(HttpContext context, ResourceSelection selection, string? fields, StreamLease lease)
    {
        readonly ResourceQueries resources = context.RequestServices.GetRequiredService<ResourceQueries>();
        readonly LogTail tail = context.RequestServices.GetRequiredService<LogTail>();
        readonly TimeSpan heartbeat = context.RequestServices.GetRequiredService<StreamOptions>().Heartbeat;
        readonly PipeWriter writer = context.Response.BodyWriter;
        readonly Dictionary<Guid, long> held = [];

        /// <summary>
        /// Sends the list, then its changes; comes back when there are so many that the list is better sent anew.
        /// </summary>
        public async Task RunAsync(ResourcePage page, CancellationToken ct)
        {
            using var reading = tail.Join();
            var position = page.Position;
            WritePosition("reset", position);
            foreach (var row in page.Rows)
            {
                held[row.Id] = row.Version;
                await WriteAsync(position, "snapshot", row, ct);
            }
            WritePosition("caught-up", position);
            await writer.FlushAsync(ct);

            for (var delay = MinDelay; lease.End is null; )
            {
                var moved = tail.Moved;
                if (position >= tail.Reached)
                {
                    await moved.WaitAsync(heartbeat, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                    ct.ThrowIfCancellationRequested();
                    if (moved.IsCompleted)
                        continue;
                    WritePosition("position", position);
                    await writer.FlushAsync(ct);
                    continue;
                }
                if (await resources.ChangesAsync(selection, position, MaxResources, ct) is not { } changes)
                    return;
                if (changes.Position > position)
                    await TellAsync(changes, ct);
                delay =
                    changes.Position > position ? MinDelay
                    : delay + delay < MaxDelay ? delay + delay
                    : MaxDelay;
                position = changes.Position;
                await Task.Delay(delay, ct);
            }
        }

        async Task TellAsync(ResourceChanges changes, CancellationToken ct)
        {
            var told = false;
            foreach (var (id, row) in changes.Rows)
            {
                var had = held.TryGetValue(id, out var version);
                if (row is null ? !had : had && version == row.Version)
                    continue;
                told = true;
                if (row is null)
                {
                    held.Remove(id);
                    EventStream.Write(
                        writer,
                        changes.Position,
                        "removed",
                        Encoding.ASCII.GetBytes($"{{\"id\":\"{id}\"}}")
                    );
                }
                else
                {
                    held[id] = row.Version;
                    await WriteAsync(changes.Position, had ? "changed" : "added", row, ct);
                }
            }
            if (told)
                WritePosition("position", changes.Position);
            await writer.FlushAsync(ct);
        }

        async Task WriteAsync(long position, string what, ResourceRow row, CancellationToken ct)
        {
            var document = ResourceDocument.Of(row.Id, row.Version, row.Resource);
            EventStream.Write(
                writer,
                position,
                what,
                fields is null
                    ? Answers.Serialize(document, WireJson.Default.ResourceDocument)
                    : Answers.Serialize(Fields.Pick(document, fields), WireJson.Default.JsonElement)
            );
            if (writer.UnflushedBytes > EventStream.FlushAfter)
                await writer.FlushAsync(ct);
        }

        void WritePosition(string what, long position) =>
            EventStream.Write(writer, position, what, Encoding.ASCII.GetBytes($"{{\"position\":\"{position}\"}}"));
    }
}
