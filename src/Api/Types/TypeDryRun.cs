using Resources.Grains;
using Resources.Silo;

namespace Resources.Api;

/// <summary>Answers what a change of a type would find.</summary>
sealed class TypeDryRun(TypeTrial trial, TypeDoor door, DocumentVerdicts documents)
{
    /// <param name="conditions">Those of a replacement; null for a declaration.</param>
    public async Task<Answer> RunAsync(HttpContext context, string type, JsonText definition, Conditions? conditions)
    {
        if (await door.CheckTrialAsync(type, conditions) is { } refused)
            return refused;
        var reply = await trial.RunAsync(type, definition, context.RequestAborted);
        if (reply.Rejection is { } rejection)
            return rejection;
        var (kind, report, isComplete) = reply.Value!;
        // The trial has read it without a fault.
        var (broken, sawAll) = await documents.BrokenByAsync(
            TypeDefinition.Read(definition, [])!,
            context.RequestAborted
        );
        return new Answer<TypeReportDocument>(
            new(
                kind.ToString().ToLowerInvariant(),
                report.Checked,
                report.Offending,
                report.Examples,
                isComplete && sawAll,
                broken
            )
        )
        {
            Position = reply.Position,
        };
    }
}
