using Resources.Grains;

namespace Resources.Domain.Tests;

/// <summary>Who counts as administrator.</summary>
public class RoleBooks
{
    static readonly Guid One = Guid.CreateVersion7(),
        Other = Guid.CreateVersion7();

    [Fact]
    public void One_of_two_administrators_may_go_and_the_other_stays()
    {
        var book = Counting(One, Other);
        Assert.Equal([new AdministratorRemoved(One)], Decide(book, new RemoveAdministrator(One)).Events);
        Assert.Equal(
            Refusal.LastAdministrator,
            Decide(Counting(Other), new RemoveAdministrator(Other)).Rejection?.Kind
        );
    }

    [Fact]
    public void Who_is_not_counted_may_go_only_where_somebody_else_is()
    {
        Assert.Empty(Decide(Counting(Other), new RemoveAdministrator(One)).Events);
        Assert.Equal(Refusal.LastAdministrator, Decide(null, new RemoveAdministrator(One)).Rejection?.Kind);
    }

    static Decision<RoleEvent> Decide(RoleBook? book, RoleCommand command) =>
        RoleBook.Decide(book, command, new(2, Story.By(Story.Alice), Story.At(2)));

    static RoleBook Counting(params Guid[] administrators) => RoleBook.Empty with { Administrators = administrators };
}
