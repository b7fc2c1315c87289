using Resources.Grains;

namespace Resources.Silo;

/// <summary>
/// The indexed members that types declare, as this node knows them. They are listed anew only after a change of a type:
/// who has seen a list need not look at it again.
/// </summary>
sealed class DeclaredMembers
{
    readonly TypeBook types;
    long changes;
    Listing? last;

    public DeclaredMembers(TypeBook types)
    {
        this.types = types;
        types.Changed += _ => Interlocked.Increment(ref changes);
    }

    /// <summary>The same object as long as no type has changed.</summary>
    public IReadOnlyCollection<IndexedMembers> Now
    {
        get
        {
            // Before the types are looked at: a change meanwhile makes the list old.
            var seen = Interlocked.Read(ref changes);
            if (last is { } known && known.Changes == seen)
                return known.Members;
            var members = types.All.Select(type => type.Indexed).OfType<IndexedMembers>().ToArray();
            last = new(seen, members);
            return members;
        }
    }

    sealed record Listing(long Changes, IReadOnlyCollection<IndexedMembers> Members);
}
