using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Api;

/// <summary>How a change of a type was sent: by which attempt, how long to wait for its end, or only to see what it finds.</summary>
sealed record TypeChangeRequest(Attempt Attempt, bool IsDryRun, TimeSpan Wait)
{
    /// <summary>Reads headers and parameters; null when one of them is faulty.</summary>
    public static TypeChangeRequest? Read(HttpContext context, RequestBody? body, List<Fault> faults)
    {
        var query = new QueryReader(context.Request);
        var dryRun = query.Flag("dryRun");
        var wait = query.Number("wait", 0) ?? TypeParameters.StandardWait;
        if (wait > TypeParameters.MaxWait)
            query.Fail<string>("wait", $"takes a whole number from 0 to {TypeParameters.MaxWait}");
        faults.AddRange(query.Faults);
        var attempt = IdempotencyKey.ReadAttempt(context, body?.Bytes ?? [], faults);
        return attempt is null || query.Faults is not [] ? null : new(attempt, dryRun, TimeSpan.FromSeconds(wait));
    }

    /// <summary>Sends the command. The answer is 202 where the end of the change was not waited for.</summary>
    /// <param name="status">That of a change which is in force.</param>
    public async Task<Answer> SendAsync(
        HttpContext context,
        TypeDoor door,
        string type,
        TypeCommand command,
        int status
    )
    {
        var reply = await door.ExecuteAsync(context.Caller(), type, command, Attempt, Wait, context.RequestAborted);
        var path = $"{ApiGroup.Path}/types/{type}";
        return reply.Rejection is { } rejection ? rejection
            : reply.Value!.Proposal is { } proposal
                ? new Answer<TypeChangeDocument>(
                    TypeChangeDocument.Of(proposal, await door.ProgressAsync(proposal.Change, context.RequestAborted))
                )
                {
                    Status = StatusCodes.Status202Accepted,
                    Location = path + "/change",
                    Position = reply.Position,
                    Replayed = reply.Replayed,
                }
            : status is StatusCodes.Status204NoContent
                ? new EmptyAnswer
                {
                    Status = status,
                    Position = reply.Position,
                    Replayed = reply.Replayed,
                }
            : new Answer<TypeDocument>(
                TypeDocument.Of(reply, await door.IndexesAsync(reply.Value!, context.RequestAborted))
            )
            {
                Status = status,
                EntityTag = EntityTags.Of(reply.Version),
                Position = reply.Position,
                Replayed = reply.Replayed,
                IsCacheable = true,
                Location = status is StatusCodes.Status201Created ? path : null,
            };
    }
}
