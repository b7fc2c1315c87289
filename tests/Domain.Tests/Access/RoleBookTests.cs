using Resources.Grains;

namespace Resources.Domain.Tests;

/// <summary>The set of administrators.</summary>
public class RoleBookTests
{
    static readonly Guid One = Guid.CreateVersion7(),
        Other = Guid.CreateVersion7();

    [Fact]
    public void One_of_two_administrators_can_be_removed_but_not_both()
    {
        var book = Counting(One, Other);
        Assert.Equal([new AdministratorRemoved(One)], Decide(book, new RemoveAdministrator(One)).Events);
        Assert.Equal(
            Refusal.LastAdministrator,
            Decide(Counting(Other), new RemoveAdministrator(Other)).Rejection?.Kind
        );
    }

    [Fact]
    public void Removing_an_uncounted_administrator_needs_another_one()
    {
        Assert.Empty(Decide(Counting(Other), new RemoveAdministrator(One)).Events);
        Assert.Equal(Refusal.LastAdministrator, Decide(null, new RemoveAdministrator(One)).Rejection?.Kind);
    }

    static Decision<RoleEvent> Decide(RoleBook? book, RoleCommand command) =>
        RoleBook.Decide(book, command, new(2, Story.By(Story.Alice), Story.At(2)));

    static RoleBook Counting(params Guid[] administrators) => RoleBook.Empty with { Administrators = administrators };
}
