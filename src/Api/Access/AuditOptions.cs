using System.ComponentModel.DataAnnotations;

namespace Resources.Api;

/// <summary>Section <c>Audit</c>.</summary>
public sealed class AuditOptions
{
    /// <summary>
    /// Refusals of one caller that a node puts into the audit in a minute; of guests, by network. How many more
    /// there were is told.
    /// </summary>
    [Range(1, 1_000)]
    public int RefusalsPerCaller { get; set; } = 10;

    /// <summary>Refusals of all callers that a node puts into the audit in a minute; guests have half of them.</summary>
    [Range(1, 10_000)]
    public int RefusalsPerNode { get; set; } = 200;
}
