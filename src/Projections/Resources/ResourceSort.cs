using System.Diagnostics.CodeAnalysis;
using Resources.Grains;

namespace Resources.Projections;

/// <summary>An order of lists, complete: no two resources are equal in it, as the id comes last.</summary>
public sealed class ResourceSort
{
    /// <summary>More keys than this are refused.</summary>
    public const int MaxKeys = 4;

    /// <summary>One key: a field and its direction.</summary>
    public readonly record struct Key(SortField Field, bool Descending);

    /// <summary>What the path of a member begins with.</summary>
    const string Metadata = "metadata.";

    static readonly Dictionary<string, SortField> Fields = Enum.GetValues<SortField>()
        .Where(field => field is not SortField.Member)
        .ToDictionary(field => JsonName(field));

    ResourceSort(Key[] keys, string? member) => (Keys, Member) = (keys, member);

    /// <summary>Newest first.</summary>
    public static ResourceSort Newest { get; } =
        Parse("-createdAt", out var sort, out _) ? sort : throw new InvalidOperationException();

    /// <summary>The fields that lists can be sorted by.</summary>
    public static IEnumerable<string> Names => Fields.Keys;

    public IReadOnlyList<Key> Keys { get; }

    /// <summary>The path of the member that comes first, as in <c>metadata.price</c>; null = none.</summary>
    public string? Member { get; }

    /// <summary>Reads <c>-createdAt,name</c>: fields joined by commas, a minus before those that descend.</summary>
    /// <param name="fault">What is wrong, as the rest of a sentence that begins with the parameter's name.</param>
    public static bool Parse(
        string text,
        [NotNullWhen(true)] out ResourceSort? sort,
        [NotNullWhen(false)] out string? fault
    )
    {
        sort = null;
        fault = null;
        var keys = new List<Key>();
        var member = (string?)null;
        foreach (var part in text.Split(','))
        {
            var descending = part.StartsWith('-');
            var name = descending ? part[1..] : part;
            if (name.Length > Metadata.Length && name.StartsWith(Metadata, StringComparison.Ordinal))
            {
                member = name;
                keys.Add(new(SortField.Member, descending));
            }
            else if (!Fields.TryGetValue(name, out var field))
                fault =
                    $"takes {string.Join(", ", Fields.Keys)} and indexed members such as metadata.price, "
                    + "separated by commas, with a minus for descending order";
            else if (keys.Any(key => key.Field == field))
                fault = $"names {name} twice";
            else
                keys.Add(new(field, descending));
        }
        if (keys.Count > MaxKeys)
            fault = $"takes at most {MaxKeys} fields";
        if (fault is null && !HasIndex(keys))
            fault =
                "takes several fields only if the first is createdAt or updatedAt; type, status and owner can be followed "
                + "by createdAt in the opposite direction (type,-createdAt); a member stands by itself";
        if (fault is not null)
            return false;
        sort = new(Complete(keys), member);
        return true;
    }

    /// <summary>The place of a resource in this order.</summary>
    public object[] PlaceOf(ResourceRow row) =>
        [
            .. Keys.Select(key =>
                key.Field switch
                {
                    SortField.CreatedAt => (object)row.Resource.CreatedAt,
                    SortField.UpdatedAt => row.Resource.UpdatedAt,
                    SortField.Name => row.Resource.Name,
                    SortField.Type => row.Resource.Type,
                    SortField.Status => row.Resource.Status,
                    SortField.Owner => row.Resource.Owner,
                    SortField.Member => row.Sorted!,
                    _ => row.Id,
                }
            ),
        ];

    /// <summary>
    /// Times differ from row to row, so what follows them sorts few. Behind a shared value the rest would be sorted on
    /// every request, unless its index has it.
    /// </summary>
    static bool HasIndex(List<Key> keys) =>
        keys switch
        {
            [_] => true,
            [_, .. var others] when others.Any(key => key.Field is SortField.Member) => false,
            [{ Field: SortField.CreatedAt or SortField.UpdatedAt }, ..] => true,
            [{ Field: SortField.Name or SortField.Member } first, { Field: SortField.Id } id] => first.Descending
                == id.Descending,
            [
                { Field: SortField.Type or SortField.Status or SortField.Owner } first,
                { Field: SortField.CreatedAt } time,
                .. var rest,
            ] => first.Descending != time.Descending
                && rest is [] or [{ Field: SortField.Id }]
                && rest.All(id => id.Descending == time.Descending),
            _ => false,
        };

    /// <summary>
    /// Many resources share a type, status or owner: among them the newest comes first (last when the key descends), as
    /// their indexes have it.
    /// </summary>
    static Key[] Complete(List<Key> keys)
    {
        var last = keys[^1];
        if (
            last.Field is SortField.Type or SortField.Status or SortField.Owner
            && keys.All(key => key.Field is not SortField.CreatedAt)
        )
            keys.Add(last = new(SortField.CreatedAt, !last.Descending));
        if (keys.All(key => key.Field is not SortField.Id))
            keys.Add(new(SortField.Id, last.Descending));
        return [.. keys];
    }

    static string JsonName(SortField field) => char.ToLowerInvariant(field.ToString()[0]) + field.ToString()[1..];
}

/// <summary>Fields that a list can be sorted by; each has an index.</summary>
public enum SortField
{
    CreatedAt,
    UpdatedAt,
    Name,
    Type,
    Status,
    Owner,
    Id,

    /// <summary>A member of the metadata that its type has declared as indexed.</summary>
    Member,
}
