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
        Assert.Equal([new AdministratorRemoved(One)], RoleBook.Decide(book, new RemoveAdministrator(One)).Events);
        Assert.Equal(
            Refusal.LastAdministrator,
            RoleBook.Decide(Counting(Other), new RemoveAdministrator(Other)).Rejection?.Kind
        );
    }

    [Fact]
    public void Who_is_not_counted_may_go_only_where_somebody_else_is()
    {
        Assert.Empty(RoleBook.Decide(Counting(Other), new RemoveAdministrator(One)).Events);
        Assert.Equal(Refusal.LastAdministrator, RoleBook.Decide(null, new RemoveAdministrator(One)).Rejection?.Kind);
    }

    static RoleBook Counting(params Guid[] administrators) => RoleBook.Empty with { Administrators = administrators };
}
