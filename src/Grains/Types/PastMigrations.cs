namespace Resources.Grains;

/// <summary>A migration that has begun.</summary>
/// <param name="Version">The version of the type from which on resources have the form that it leads to.</param>
[GenerateSerializer, Immutable, Alias("past-migration")]
public sealed record PastMigration(long Version, JsonText Operations);

/// <summary>The migrations that deleted resources still need when they are restored.</summary>
/// <param name="Newest">The newest of them, in order.</param>
/// <param name="Forgotten">The version of the newest one that is not kept any more; 0 = none.</param>
/// <param name="Freed">The version at which the name became free last; 0 = it never was declared before.</param>
[GenerateSerializer, Immutable, Alias("past-migrations")]
public sealed record PastMigrations(PastMigration[] Newest, long Forgotten, long Freed)
{
    /// <summary>A type remembers so many.</summary>
    public const int Max = 32;

    /// <summary>And so many bytes of them: whoever asks another node for the type is sent all of them.</summary>
    public const int MaxBytes = 256 << 10;

    public static readonly PastMigrations None = new([], 0, 0);

    /// <summary>Those that a resource has not been through; null where one of them was forgotten.</summary>
    /// <param name="typeVersion">The version of the type that it was last checked against; null where that was free.</param>
    public IEnumerable<PastMigration>? Since(long? typeVersion)
    {
        var since = typeVersion ?? Freed;
        return since < Forgotten ? null : Newest.SkipWhile(migration => migration.Version <= since);
    }

    internal PastMigrations With(PastMigration migration)
    {
        PastMigration[] all = [.. Newest, migration];
        var first = Math.Max(0, all.Length - Max);
        for (var size = all.Skip(first).Sum(SizeOf); size > MaxBytes; first++)
            size -= SizeOf(all[first]);
        return Without(all, first);
    }

    /// <summary>All are forgotten with the type: what was written while its name is free needs none of them.</summary>
    internal PastMigrations Until(long freed) => Without(Newest, Newest.Length) with { Freed = freed };

    PastMigrations Without(PastMigration[] all, int count) =>
        this with
        {
            Newest = all[count..],
            Forgotten = count is 0 ? Forgotten : all[count - 1].Version,
        };

    static int SizeOf(PastMigration migration) => migration.Operations.Utf8.Length;
}
