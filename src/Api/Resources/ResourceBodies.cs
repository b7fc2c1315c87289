using System.Text.Json;
using Resources.Grains;

namespace Resources.Api;

/// <summary>Turns bodies into commands, with all faults at once.</summary>
static class ResourceBodies
{
    public const int MaxName = 255;

    public static CreateResource? Creation(JsonElement body, List<Fault> faults)
    {
        var reader = new ObjectReader(body, faults);
        var create = new CreateResource(
            reader.Slug("type", optional: true) ?? Resource.DefaultType,
            reader.Text("name", 1, MaxName) ?? "",
            reader.Slug("status", optional: true) ?? Resource.DefaultStatus,
            reader.Object("metadata", optional: true) ?? JsonText.Empty
        );
        reader.RefuseOthers(Resource.OwnMembers);
        return faults is [] ? create : null;
    }

    public static ReplaceResource? Replacement(JsonElement body, List<Fault> faults)
    {
        var reader = new ObjectReader(body, faults);
        var replace = new ReplaceResource(
            reader.Slug("type", optional: true),
            reader.Text("name", 1, MaxName) ?? "",
            reader.Slug("status", optional: true) ?? Resource.DefaultStatus,
            reader.Object("metadata", optional: true) ?? JsonText.Empty
        );
        reader.RefuseOthers(Resource.OwnMembers);
        return faults is [] ? replace : null;
    }
}
