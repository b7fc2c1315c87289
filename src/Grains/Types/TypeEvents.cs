using System.Text.Json.Serialization;

namespace Resources.Grains;

/// <summary>
/// The events of a type, whose stream is <see cref="TypeState.StreamOf"/> its name. The version of the stream is the
/// version of the type. As with <see cref="ResourceEvent"/>, these records are the stored format.
/// </summary>
public abstract record TypeEvent;

/// <summary>
/// A change that stored resources may contradict. Writes satisfy it from here on; what was written before is checked.
/// </summary>
/// <param name="Kind">One of <see cref="ProposalKind"/>.</param>
/// <param name="Definition">The whole new definition; null where the type is to be deleted.</param>
/// <param name="Fields">The number of each unique rule and reference of the definition, by its name or pointer.</param>
/// <param name="Migration">How stored resources become what the definition demands; null where they stay as they are.</param>
[Event("type.change_proposed")]
public sealed record TypeChangeProposed(
    string Name,
    Guid Change,
    string Kind,
    JsonText? Definition,
    Dictionary<string, int> Fields,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] JsonText? Migration = null
) : TypeEvent;

/// <summary>
/// All stored resources can be migrated. From here on each is of the old form or the new one, which is of this version of
/// the type, and those of the old form are migrated.
/// </summary>
[Event("type.migration_begun")]
public sealed record TypeMigrationBegun(Guid Change) : TypeEvent;

/// <summary>From here on nothing is written in the old form. What still has it is migrated.</summary>
[Event("type.migration_closing")]
public sealed record TypeMigrationClosing(Guid Change) : TypeEvent;

/// <summary>A definition came into force. The first one declares the type.</summary>
/// <param name="Checked">How many resources were looked at.</param>
/// <param name="Migrated">How many were migrated; those that were migrated as a node died may count twice.</param>
[Event("type.changed")]
public sealed record TypeChanged(
    string Name,
    Guid Change,
    JsonText Definition,
    Dictionary<string, int> Fields,
    long Checked = 0,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] long Migrated = 0
) : TypeEvent;

/// <summary>A proposal was given up, and changes nothing any more.</summary>
/// <param name="Reason">One of <see cref="AbandonReason"/>.</param>
/// <param name="Checked">How many resources were looked at.</param>
/// <param name="Offending">How many of them contradict the proposal.</param>
/// <param name="Offenders">The first of those.</param>
[Event("type.change_abandoned")]
public sealed record TypeChangeAbandoned(
    Guid Change,
    string Reason,
    long Checked,
    long Offending,
    TypeOffender[] Offenders
) : TypeEvent;

/// <summary>The type is declared no more; its name is free.</summary>
[Event("type.deleted")]
public sealed record TypeDeleted(Guid Change) : TypeEvent;

/// <summary>A resource that contradicts a proposal.</summary>
[GenerateSerializer, Immutable, Alias("type-offender")]
public sealed record TypeOffender(Guid Id, long Version, Fault[] Errors);

/// <summary>What a proposal is about; stored.</summary>
public static class ProposalKind
{
    public const string Declaration = "declaration";
    public const string Change = "change";
    public const string Deletion = "deletion";
}

/// <summary>Why a proposal was given up; stored.</summary>
public static class AbandonReason
{
    /// <summary>Stored resources contradict it.</summary>
    public const string BreaksData = "breaks_data";

    /// <summary>Resources or other types need the type that was to be deleted.</summary>
    public const string InUse = "in_use";

    /// <summary>It refers to a type that is declared no more.</summary>
    public const string UnknownType = "unknown_type";

    /// <summary>Somebody withdrew it.</summary>
    public const string Withdrawn = "withdrawn";
}
