using System.Text.Json;

namespace Resources.Grains;

/// <summary>One operation of a migration. It leaves alone what is not there.</summary>
/// <param name="Path">A pointer into the resource.</param>
public abstract record MigrationStep(string Path)
{
    /// <summary>The place that is empty afterwards; null where there is none.</summary>
    internal string? Emptied =>
        this switch
        {
            MoveStep move => move.From,
            RemoveStep => Path,
            _ => null,
        };
}

/// <summary>Moves what is at a pointer to where nothing is. Objects on the way there are made.</summary>
public sealed record MoveStep(string From, string Path) : MigrationStep(Path);

/// <summary>Makes a text, a number or a truth value one of another type.</summary>
/// <param name="To">One of <see cref="Types"/>.</param>
public sealed record ConvertStep(string Path, string To) : MigrationStep(Path)
{
    public static readonly string[] Types = ["string", "number", "integer", "boolean"];
}

/// <summary>Puts a value in where a member of an object that is there is absent.</summary>
public sealed record DefaultStep(string Path, JsonElement Value) : MigrationStep(Path);

public sealed record RemoveStep(string Path) : MigrationStep(Path);

/// <summary>Replaces values; one that is not named stays.</summary>
/// <param name="Values">By text, or by the JSON of a number or a truth value.</param>
public sealed record MapStep(string Path, IReadOnlyDictionary<string, JsonElement> Values) : MigrationStep(Path)
{
    public const int MaxValues = 1_000;
}
