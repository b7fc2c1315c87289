using Resources.Grains;
using Resources.Silo;

namespace Resources.Api;

/// <summary>Answers what a change of a type would find.</summary>
sealed class TypeDryRun(TypeTrial trial, TypeDoor door)
{
    /// <param name="conditions">Those of a replacement; null for a declaration.</param>
    public async Task<Answer> RunAsync(HttpContext context, string type, JsonText definition, Conditions? conditions)
    {
        if (await door.CheckTrialAsync(type, conditions) is { } refused)
            return refused;
        var reply = await trial.RunAsync(type, definition, context.RequestAborted);
        return reply.Rejection is { } rejection
            ? rejection
            : new Answer<TypeReportDocument>(
                new(
                    reply.Value!.Kind.ToString().ToLowerInvariant(),
                    reply.Value.Report.Checked,
                    reply.Value.Report.Offending,
                    reply.Value.Report.Examples,
                    reply.Value.IsComplete
                )
            )
            {
                Position = reply.Position,
            };
    }
}
