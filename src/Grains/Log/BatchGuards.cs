using Npgsql;
using NpgsqlTypes;

namespace Resources.Grains;

/// <summary>The guards of the appends of one batch, as parallel arrays of a statement.</summary>
sealed class BatchGuards
{
    readonly List<int> fenceOfAppends = [];
    readonly List<Fence> fences = [];
    readonly List<(int Append, Claim Claim)> claims = [];
    readonly List<(int Append, Reference Reference)> references = [];
    readonly List<int> unreferenced = [];

    /// <summary>The streams that must not be written beside these guards.</summary>
    readonly HashSet<Guid> read = [];

    readonly HashSet<(Guid Scope, int Rule, Guid Value)> values = [];

    /// <summary>How many rows of claims and references there are.</summary>
    public int Rows => claims.Count + references.Count;

    /// <summary>Whether there are no guards but fences.</summary>
    public bool AreFencesOnly => Rows is 0 && unreferenced.Count is 0;

    public void Clear()
    {
        fenceOfAppends.Clear();
        fences.Clear();
        claims.Clear();
        references.Clear();
        unreferenced.Clear();
        read.Clear();
        values.Clear();
    }

    /// <summary>
    /// Whether an append would write what one of the batch reads, or read what one of them writes, or touch a value that
    /// one of them touches.
    /// </summary>
    /// <param name="written">The streams that the batch writes without this append.</param>
    public bool Collide(Guid stream, Guards? guards, HashSet<Guid> written) =>
        read.Contains(stream) || guards is not null && Collides(guards, written);

    /// <summary>Adds the guards of the batch's next append, which may be null.</summary>
    public void Add(Guards? guards)
    {
        fenceOfAppends.Add(guards?.Fence is { } fence ? NumberOf(fence) : 0);
        if (guards is null)
            return;
        var append = fenceOfAppends.Count;
        foreach (var claim in guards.Claims)
        {
            claims.Add((append, claim));
            values.Add(KeyOf(claim));
        }
        foreach (var reference in guards.References)
        {
            references.Add((append, reference));
            if (reference.Takes)
                read.Add(reference.Target);
        }
        if (guards.Unreferenced)
            unreferenced.Add(append);
    }

    bool Collides(Guards guards, HashSet<Guid> written)
    {
        if (guards.Fence is { } fence && written.Contains(fence.Stream))
            return true;
        foreach (var reference in guards.References)
            if (reference.Takes && written.Contains(reference.Target))
                return true;
        foreach (var claim in guards.Claims)
            if (values.Contains(KeyOf(claim)))
                return true;
        return false;
    }

    /// <summary>The number of a fence among those of the batch, which are few.</summary>
    int NumberOf(Fence fence)
    {
        var at = fences.IndexOf(fence);
        if (at >= 0)
            return at + 1;
        fences.Add(fence);
        read.Add(fence.Stream);
        return fences.Count;
    }

    /// <summary>Half of a hash tells values apart. Where it does not, two appends are in two batches for nothing.</summary>
    static (Guid Scope, int Rule, Guid Value) KeyOf(Claim claim) =>
        (claim.Scope, claim.Rule, new(claim.Value.AsSpan(0, 16)));

    /// <summary>A claim by its number in the statement, from 1 on.</summary>
    public Claim ClaimAt(long number) => claims[(int)number - 1].Claim;

    /// <summary>A reference by its number in the statement, from 1 on.</summary>
    public Reference ReferenceAt(long number) => references[(int)number - 1].Reference;

    /// <summary>Adds the parameters of the guards, in the order in which the statement takes them.</summary>
    /// <param name="fencesOnly">Leaves out the others, for a statement that does without them.</param>
    public void Bind(NpgsqlParameterCollection parameters, bool fencesOnly)
    {
        parameters.AddArray(NpgsqlDbType.Integer, fenceOfAppends.ToArray());
        parameters.AddArray(NpgsqlDbType.Uuid, Each(fences, fence => fence.Stream));
        parameters.AddArray(NpgsqlDbType.Bigint, Each(fences, fence => fence.Position));
        if (fencesOnly)
            return;
        parameters.AddArray(NpgsqlDbType.Integer, Each(claims, one => one.Append));
        parameters.AddArray(NpgsqlDbType.Uuid, Each(claims, one => one.Claim.Scope));
        parameters.AddArray(NpgsqlDbType.Integer, Each(claims, one => one.Claim.Rule));
        parameters.AddArray(NpgsqlDbType.Bytea, Each(claims, one => one.Claim.Value));
        parameters.AddArray(NpgsqlDbType.Boolean, Each(claims, one => one.Claim.Takes));
        parameters.AddArray(NpgsqlDbType.Integer, Each(references, one => one.Append));
        parameters.AddArray(NpgsqlDbType.Integer, Each(references, one => one.Reference.Field));
        parameters.AddArray(NpgsqlDbType.Uuid, Each(references, one => one.Reference.Target));
        parameters.AddArray(NpgsqlDbType.Text, Each(references, one => one.Reference.Type));
        parameters.AddArray(NpgsqlDbType.Boolean, Each(references, one => one.Reference.Takes));
        parameters.AddArray(NpgsqlDbType.Integer, unreferenced.ToArray());
    }

    static TPart[] Each<T, TPart>(List<T> items, Func<T, TPart> part)
    {
        var parts = new TPart[items.Count];
        for (var i = 0; i < parts.Length; i++)
            parts[i] = part(items[i]);
        return parts;
    }
}
