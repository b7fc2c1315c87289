using System.Reflection;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Domain.Tests;

/// <summary>Texts of permissions, and which of them can be granted.</summary>
public class PermissionTests
{
    static readonly PermissionCatalogue Catalogue = new(Permissions.All);

    [Theory]
    [
        InlineData("*"),
        InlineData("resource:read"),
        InlineData("resource:*"),
        InlineData("resource:*:own"),
        InlineData("resource:read:own"),
        InlineData("resource/bicycle:update"),
        InlineData("resource/bicycle:update:own")
    ]
    [
        InlineData("resource/bicycle:*"),
        InlineData("resource/bicycle:*:own"),
        InlineData("resource/mountain-bike.2_x:read"),
        InlineData("subscription:manage:own"),
        InlineData("signing_key:manage"),
        InlineData("type:read"),
        InlineData("type:manage"),
        InlineData("audit:*")
    ]
    public void Permission_survives_a_round_trip(string text)
    {
        Assert.Null(Catalogue.FaultOf(text));
        Assert.Equal(text, Permission.Parse(text)!.ToString());
    }

    [Theory]
    [
        InlineData(""),
        InlineData("resource"),
        InlineData(":"),
        InlineData(":read"),
        InlineData("resource:"),
        InlineData("resource:read:"),
        InlineData("resource:read:own:own"),
        InlineData("resource:read:mine"),
        InlineData("resource:read:OWN")
    ]
    [
        InlineData("*:read"),
        InlineData("*:*"),
        InlineData("*:own"),
        InlineData("**"),
        InlineData("* "),
        InlineData(" resource:read"),
        InlineData("resource:read "),
        InlineData("resource :read"),
        InlineData("Resource:read"),
        InlineData("resource:Read")
    ]
    [
        InlineData("resource/:read"),
        InlineData("resource/*:read"),
        InlineData("resource/Bicycle:read"),
        InlineData("resource/a/b:read"),
        InlineData("resource/-a:read"),
        InlineData("resource/a b:read"),
        InlineData("/bicycle:read"),
        InlineData("*/bicycle:read")
    ]
    [
        InlineData("subscription/bicycle:read"),
        InlineData("user/admin:read"),
        InlineData("bicycle:read"),
        InlineData("resource:fly"),
        InlineData("resource:read,resource:update"),
        InlineData("resource:read\0")
    ]
    [
        InlineData("user:read:own"),
        InlineData("user:*:own"),
        InlineData("follower:read:own"),
        InlineData("audit:*:own"),
        InlineData("role:manage:own"),
        InlineData("resource:create:own"),
        InlineData("resource/bicycle:create:own")
    ]
    public void Other_texts_are_refused(string text) => Assert.NotNull(Catalogue.FaultOf(text));

    [Fact]
    public void Whether_a_type_has_an_action_of_its_own_is_not_known_here()
    {
        Assert.Null(Catalogue.FaultOf("resource/bicycle:fly"));
        Assert.Null(Catalogue.FaultOf("resource/bicycle:fly:own"));
    }

    [Fact]
    public void Type_has_at_most_64_characters()
    {
        Assert.Null(Catalogue.FaultOf($"resource/{new string('a', 64)}:read"));
        Assert.NotNull(Catalogue.FaultOf($"resource/{new string('a', 65)}:read"));
    }

    [Fact]
    public void Every_permission_is_known_and_those_of_built_in_roles_can_be_granted()
    {
        var constants = typeof(Permissions)
            .GetFields(BindingFlags.Public | BindingFlags.Static)
            .Where(field => field.IsLiteral)
            .Select(field => (string)field.GetRawConstantValue()!);
        Assert.Equal(constants.Order(), Permissions.All.Select(kind => kind.Name).Order());
        Assert.All(Permissions.BuiltIn.Values.SelectMany(role => role.ToTexts()), text =>
            Assert.Null(Catalogue.FaultOf(text))
        );
    }
}
