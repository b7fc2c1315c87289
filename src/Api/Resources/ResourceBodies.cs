using System.Text.Json;
using Resources.Grains;

namespace Resources.Api;

/// <summary>Turns bodies into commands, with all faults at once.</summary>
static class ResourceBodies
{
    public const int MaxName = 255;

    /// <param name="type">The type that the address names, which the body may repeat; null when it names none.</param>
    public static CreateResource? Creation(JsonElement body, List<Fault> faults, string? type = null)
    {
        var reader = new ObjectReader(body, faults);
        var named = reader.Slug("type", optional: true);
        if (type is not null && (!Slug.IsValid(type) || named is not null && named != type))
            faults.Report("/type", "TYPE_IS_FIXED", "The address names the type, and has to name one.");
        var create = new CreateResource(
            type ?? named ?? Resource.DefaultType,
            reader.Text("name", 1, MaxName) ?? "",
            reader.Slug("status", optional: true),
            reader.Object("metadata", optional: true) ?? JsonText.Empty
        );
        reader.RefuseOthers(Resource.OwnMembers);
        return faults is [] ? create : null;
    }

    /// <summary>The document that GET returned is taken back, if what the server keeps is unchanged.</summary>
    /// <param name="id">The resource that the address names; null when it names none.</param>
    public static ReplaceResource? Replacement(JsonElement body, Guid? id, List<Fault> faults)
    {
        var reader = new ObjectReader(body, faults);
        var replace = new ReplaceResource(
            reader.Slug("type", optional: true),
            reader.Text("name", 1, MaxName) ?? "",
            reader.Slug("status", optional: true),
            reader.Object("metadata", optional: true) ?? JsonText.Empty,
            new(
                reader.Text("owner", 0, MaxName, optional: true),
                reader.Long("version", optional: true),
                reader.Time("createdAt", optional: true),
                reader.Text("createdBy", 0, MaxName, optional: true),
                reader.Time("updatedAt", optional: true),
                reader.Text("updatedBy", 0, MaxName, optional: true),
                reader.IsNull("typeVersion") ? null : reader.Long("typeVersion", optional: true)
            )
        );
        if (
            reader.Text("id", 0, MaxName, optional: true) is { } text
            && !(Ids.TryParse(text, out var sent) && sent == id)
        )
            faults.Add(Resource.IsKept("id"));
        // What can be replaced is not deleted.
        if (!reader.IsNull("deletedAt") && reader.Time("deletedAt", optional: true) is not null)
            faults.Add(Resource.IsKept("deletedAt"));
        reader.RefuseOthers(Resource.OwnMembers);
        return faults is [] ? replace : null;
    }
}
