using System.Globalization;
using Resources.Grains;

namespace Resources.Domain.Tests;

/// <summary>The commands of the roles: given events, when a command, then events or a refusal.</summary>
public class RoleDecisionTests
{
    static readonly Guid One = new(1, 0, 0, new byte[8]);
    static readonly Guid Other = new(2, 0, 0, new byte[8]);

    static readonly RoleEvent Created = new RoleCreated("mechanic", ["resource:read"]);
    static readonly RoleEvent OneAdded = new AdministratorAdded(One);
    static readonly RoleEvent OtherAdded = new AdministratorAdded(Other);

    [Fact]
    public void A_role_is_created_with_its_permissions()
    {
        When([], new CreateRole("mechanic", ["resource:read"])).Is(new RoleCreated("mechanic", ["resource:read"]));
        When([Created], new CreateRole("clerk", [])).Is(new RoleCreated("clerk", []));
    }

    [Fact]
    public void The_name_of_a_role_is_unique() =>
        When([Created], new CreateRole("mechanic", ["*"])).IsRefused(Refusal.AlreadyExists);

    [Fact]
    public void The_name_of_a_deleted_role_is_free_again_for_another_role()
    {
        When([Created, new RoleDeleted("mechanic")], new CreateRole("mechanic", ["*"]))
            .Is(new RoleCreated("mechanic", ["*"], 2));
        When(
                [Created, new RoleDeleted("mechanic"), new RoleCreated("mechanic", [], 2), new RoleDeleted("mechanic")],
                new CreateRole("mechanic", [])
            )
            .Is(new RoleCreated("mechanic", [], 3));
    }

    [Fact]
    public void A_role_that_is_created_again_has_none_of_the_holders_of_the_one_before()
    {
        var anew = Fold(Created, new RoleDeleted("mechanic"), new RoleCreated("mechanic", ["*"], 2));
        Assert.Equal("mechanic:2", anew.GrantOf("mechanic"));
        Assert.Equal(["user", "mechanic"], anew.NamesOf(["user", "mechanic:2"]));
        Assert.Empty(anew.NamesOf(["mechanic"]));
        Assert.Empty(Fold(Created, new RoleDeleted("mechanic")).NamesOf(["mechanic"]));
    }

    /// <summary>A later release may bring a role whose name is taken.</summary>
    [Fact]
    public void A_built_in_role_wins_over_a_custom_one_of_its_name()
    {
        var book = Fold(new RoleCreated("user", ["*"]));
        Assert.Equal(Permissions.BuiltIn["user"].ToTexts(), book.All()["user"].ToTexts());
        Assert.Equal("user", book.GrantOf("user"));
    }

    [Fact]
    public void There_are_at_most_1000_roles()
    {
        RoleEvent[] Given(int count) =>
            [
                .. Enumerable
                    .Range(0, count)
                    .Select(number => new RoleCreated(number.ToString(CultureInfo.InvariantCulture), [])),
            ];
        When(Given(999), new CreateRole("mechanic", [])).Is(new RoleCreated("mechanic", []));
        When(Given(1_000), new CreateRole("mechanic", [])).IsRefused(Refusal.AlreadyExists);
    }

    [Fact]
    public void A_role_gets_other_permissions() =>
        When([Created], new ChangeRole("mechanic", ["resource:*"])).Is(new RoleChanged("mechanic", ["resource:*"]));

    [Fact]
    public void The_same_permissions_change_nothing() =>
        When([Created, new RoleChanged("mechanic", ["resource:*"])], new ChangeRole("mechanic", ["resource:*"]))
            .IsNothing();

    [Fact]
    public void A_missing_or_built_in_role_is_not_changed()
    {
        When([], new ChangeRole("mechanic", [])).IsRefused(Refusal.RoleNotFound);
        When([Created], new ChangeRole(RoleBook.Administrator, [])).IsRefused(Refusal.RoleNotFound);
    }

    [Fact]
    public void A_role_is_deleted_once()
    {
        When([Created], new DeleteRole("mechanic")).Is(new RoleDeleted("mechanic"));
        When([Created, new RoleDeleted("mechanic")], new DeleteRole("mechanic")).IsRefused(Refusal.RoleNotFound);
    }

    [Fact]
    public void A_missing_or_built_in_role_is_not_deleted()
    {
        When([], new DeleteRole("mechanic")).IsRefused(Refusal.RoleNotFound);
        When([Created], new DeleteRole(RoleBook.Administrator)).IsRefused(Refusal.RoleNotFound);
    }

    [Fact]
    public void An_administrator_is_counted_once()
    {
        When([], new AddAdministrator(One)).Is(new AdministratorAdded(One));
        When([OneAdded], new AddAdministrator(One)).IsNothing();
    }

    [Fact]
    public void One_of_two_administrators_may_leave_and_the_other_stays()
    {
        When([OneAdded, OtherAdded], new RemoveAdministrator(One)).Is(new AdministratorRemoved(One));
        When([OneAdded, OtherAdded, new AdministratorRemoved(One)], new RemoveAdministrator(Other))
            .IsRefused(Refusal.LastAdministrator);
    }

    [Fact]
    public void An_uncounted_administrator_may_leave_only_while_another_is_counted()
    {
        When([OtherAdded], new RemoveAdministrator(One)).IsNothing();
        When([], new RemoveAdministrator(One)).IsRefused(Refusal.LastAdministrator);
    }

    static RoleBook Fold(params RoleEvent[] given) => Outcome.After<RoleBook, RoleEvent>(given, RoleBook.Evolve).State!;

    static Decision<RoleEvent> When(RoleEvent[] given, RoleCommand command)
    {
        var (state, version) = Outcome.After<RoleBook, RoleEvent>(given, RoleBook.Evolve);
        return RoleBook.Decide(state, command, Outcome.Context(version));
    }
}
