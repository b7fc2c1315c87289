namespace Resources.Grains;

/// <summary>What a unit appends to one stream. A unit is in the log as a whole, or not at all.</summary>
public sealed record UnitMember(
    Guid Stream,
    long ExpectedVersion,
    IReadOnlyList<object> Events,
    Intent Intent,
    Guards? Guards
);
