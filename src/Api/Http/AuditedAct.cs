namespace Resources.Api;

/// <summary>The events by which the audit tells what an endpoint has done; none where it changes nothing of note.</summary>
public sealed record AuditedAct(IReadOnlyList<string> Events);

/// <summary>Says at the mapping of an endpoint how the audit tells of it.</summary>
public static class AuditedActs
{
    /// <summary>Names the events that tell of an act. Every endpoint that is no mere read says so.</summary>
    public static TBuilder Audits<TBuilder>(this TBuilder endpoint, params string[] events)
        where TBuilder : IEndpointConventionBuilder => endpoint.WithMetadata(new AuditedAct(events));

    /// <summary>Says that an endpoint changes nothing, or only what was delivered to whom.</summary>
    public static TBuilder AuditsNothing<TBuilder>(this TBuilder endpoint)
        where TBuilder : IEndpointConventionBuilder => endpoint.WithMetadata(new AuditedAct([]));
}
