namespace Resources.Grains;

/// <summary>A command of a type.</summary>
[GenerateSerializer, Immutable, Alias("type-command")]
public abstract record TypeCommand;

/// <summary>Declares a type whose name is free.</summary>
[GenerateSerializer, Immutable, Alias("type-declare")]
public sealed record DeclareType(string Name, JsonText Definition) : TypeCommand;

/// <summary>Replaces the definition.</summary>
[GenerateSerializer, Immutable, Alias("type-replace")]
public sealed record ReplaceType(JsonText Definition) : TypeCommand;

/// <summary>Applies a merge patch to the definition as it is when the command runs.</summary>
[GenerateSerializer, Immutable, Alias("type-patch")]
public sealed record PatchType(JsonText Patch) : TypeCommand;

/// <summary>Deletes the type, once it is known that nothing needs it.</summary>
[GenerateSerializer, Immutable, Alias("type-delete")]
public sealed record DeleteType : TypeCommand;

/// <summary>Begins the migration of a proposal that all stored resources were found to satisfy once they are migrated.</summary>
[GenerateSerializer, Immutable, Alias("type-begin-migration")]
public sealed record BeginTypeMigration(Guid Change) : TypeCommand;

/// <summary>Takes nothing in the old form any more.</summary>
/// <param name="Change">The change that is meant; null for whatever there is.</param>
[GenerateSerializer, Immutable, Alias("type-close-migration")]
public sealed record CloseTypeMigration(Guid? Change) : TypeCommand;

/// <summary>Brings a proposal into force that stored resources were found to satisfy.</summary>
/// <param name="Checked">How many of them were looked at.</param>
/// <param name="Migrated">How many of them were migrated.</param>
[GenerateSerializer, Immutable, Alias("type-complete-change")]
public sealed record CompleteTypeChange(Guid Change, long Checked = 0, long Migrated = 0) : TypeCommand;

/// <summary>Gives a proposal up.</summary>
[GenerateSerializer, Immutable, Alias("type-abandon-change")]
public sealed record AbandonTypeChange(
    Guid Change,
    string Reason,
    long Checked,
    long Offending,
    TypeOffender[] Offenders
) : TypeCommand;

/// <summary>Gives up whatever proposal there is.</summary>
[GenerateSerializer, Immutable, Alias("type-withdraw-change")]
public sealed record WithdrawTypeChange : TypeCommand;
