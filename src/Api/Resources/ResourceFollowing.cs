using System.Text;
using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Api;

/// <summary>
/// A list and its changes as server-sent events: <c>reset</c>, a <c>snapshot</c> for each resource, <c>caught-up</c>; then
/// <c>added</c>, <c>changed</c> and <c>removed</c>, and a <c>position</c> whenever the list is complete up to there.
/// </summary>
static class ResourceFollowing
{
    /// <summary>A stream outlives an outage of the store; it asks again this often.</summary>
    static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(250);

    /// <summary>Reports parameters that a list which is followed cannot have.</summary>
    public static void Check(QueryReader query, ResourceSort sort)
    {
        if (sort.Member is not null)
            query.Fail<string>("sort", "takes no member of the metadata where the list is followed");
        foreach (var name in new[] { "cursor", "limit", "count", "expand" })
            if (query.Text(name) is not null)
                query.Fail<string>(name, "cannot be combined with follow");
    }

    /// <summary>Sends the list and its changes until the client leaves or may see it no longer.</summary>
    public static async Task<Answer> FollowAsync(HttpContext context, ResourceDoor door, ListRequest list)
    {
        var reached = await door.WaitAsync(list.Wanted, context.RequestAborted);
        if (reached.Rejection is { } behind)
            return Consistency.Refused(behind);
        var (lease, refused) = await StreamResponse.OpenAsync(
            context,
            list.Selection.IncludeDeleted ? [Permissions.ResourceReadDeleted] : []
        );
        if (lease is null)
            return refused!;
        return new StreamedAnswer(async _ =>
        {
            using (lease)
                await SendAsync(context, door, list, lease, reached.Position);
        });
    }

    static async Task SendAsync(
        HttpContext context,
        ResourceDoor door,
        ListRequest list,
        StreamLease lease,
        long position
    )
    {
        var heartbeat = context.RequestServices.GetRequiredService<StreamOptions>().Heartbeat;
        while (true)
        {
            // Taken before the lease is looked at, so that no change of it falls between.
            using var until = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lease.Changed);
            if (lease.End is { } end)
            {
                await StreamResponse.EndAsync(context, end);
                return;
            }
            try
            {
                var snapshot = await door.SnapshotAsync(lease, list.Selection, list.Sort, position, until.Token);
                using var memory = snapshot.Memory;
                var isTooLong = snapshot.IsCut || snapshot.Rows.Count > ResourceDoor.MaxFollowed;
                if (!context.Response.HasStarted)
                    await BeginAsync(context, isTooLong);
                if (isTooLong || HttpMethods.IsHead(context.Request.Method))
                    return;
                var steps = door.FollowAsync(lease, list.Selection, snapshot, heartbeat, until.Token);
                // Its rows are not kept for as long as the list is followed.
                snapshot = null;
                await foreach (var changes in steps)
                    await WriteAsync(context, list, changes, until.Token);
            }
            catch (OperationCanceledException) when (!context.RequestAborted.IsCancellationRequested)
            {
                // What the caller may see has changed, or the stream is over.
            }
            catch (Exception e)
                when (context.Response.HasStarted && e is StoreUnavailableException or QueryTimeoutException)
            {
                await Task.Delay(RetryDelay, context.RequestAborted);
            }
        }
    }

    static Task BeginAsync(HttpContext context, bool isTooLong) =>
        isTooLong
            ? Answer
                .Invalid([
                    new(
                        "?follow",
                        "LIST_TOO_LONG",
                        $"Lists of at most {ResourceDoor.MaxFollowed} resources and {ResourceDoor.MaxFollowedBytes >> 20} MiB of "
                            + "metadata can be followed; this one has more. Narrow it."
                    ),
                ])
                .ExecuteAsync(context)
            : StreamResponse.BeginAsync(context);

    static async Task WriteAsync(
        HttpContext context,
        ListRequest list,
        IReadOnlyList<ListChange> changes,
        CancellationToken ct
    )
    {
        var writer = context.Response.BodyWriter;
        foreach (var change in changes)
        {
            StreamResponse.Write(writer, change.Position, NameOf(change.Kind), DataOf(change, list.Fields));
            if (writer.UnflushedBytes > StreamResponse.FlushAfter)
                await writer.FlushAsync(ct);
        }
        await writer.FlushAsync(ct);
    }

    static string NameOf(ListChangeKind kind) =>
        kind switch
        {
            ListChangeKind.Reset => "reset",
            ListChangeKind.Snapshot => "snapshot",
            ListChangeKind.CaughtUp => "caught-up",
            ListChangeKind.Added => "added",
            ListChangeKind.Changed => "changed",
            ListChangeKind.Removed => "removed",
            ListChangeKind.Position => "position",
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "This change has no name."),
        };

    static ReadOnlySpan<byte> DataOf(ListChange change, string? fields)
    {
        if (change.Kind is ListChangeKind.Removed)
            return Encoding.ASCII.GetBytes($"{{\"id\":\"{change.Id}\"}}");
        if (change.Row is not { } row)
            return Encoding.ASCII.GetBytes($"{{\"position\":\"{change.Position}\"}}");
        var document = ResourceDocument.Of(row.Id, row.Version, row.Resource);
        return fields is null
            ? Responses.Serialize(document, ResourceJson.Default.ResourceDocument)
            : Responses.Serialize(Fields.Pick(document, fields), ResourceJson.Default.JsonElement);
    }
}
