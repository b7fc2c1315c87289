using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Cluster.Tests;

/// <summary>Turns of two kinds: whoever waits, or takes long, keeps none that others need.</summary>
[Trait("Conformance", "H4")]
public sealed class ReadTurnOrderTests
{
    /// <summary>So many accounts could have all turns at what is large.</summary>
    static readonly int Accounts = Math.Max(1, Environment.ProcessorCount - 1);

    static readonly ResourceSelection List = new(Reach.All);
    static readonly ResourceSelection Search = new(Reach.All, IncludeDeleted: true);

    readonly TaskCompletionSource<int> end = new(TaskCreationOptions.RunContinuationsAsynchronously);

    readonly ReadTurns turns = new(new() { MaxPoolSize = 1000, MaxSearchPoolSize = 2 * Accounts }, TimeProvider.System);

    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    Task<int> ReadAsync(string account, ResourceSelection selection, Task<int> read, bool isLarge) =>
        turns.ListAsync(account, selection, sort: null, CountKind.None, () => read, Cancelled, isLarge);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Accounts_that_wait_behind_their_own_reads_keep_no_other_from_a_large_page(bool isSearch)
    {
        var selection = isSearch ? Search : List;
        var busy = new List<Task<int>>();
        for (var account = 0; account < Accounts; account++)
        {
            for (var i = 0; i < (isSearch ? 2 : ReadTurns.MaxListsPerCaller); i++)
                busy.Add(ReadAsync($"{account}", selection, end.Task, isLarge: false));
            busy.Add(ReadAsync($"{account}", selection, end.Task, isLarge: true));
        }
        Assert.DoesNotContain(busy, each => each.IsCompleted);

        Assert.True(ReadAsync("other", List, Task.FromResult(1), isLarge: true).IsCompletedSuccessfully);

        end.SetResult(1);
        await Task.WhenAll(busy);
    }

    [Fact]
    public async Task Search_for_a_large_page_keeps_no_other_from_one()
    {
        var searches = Enumerable
            .Range(0, Accounts)
            .Select(account => ReadAsync($"{account}", Search, end.Task, isLarge: true))
            .ToArray();
        Assert.DoesNotContain(searches, each => each.IsCompleted);

        Assert.True(ReadAsync("other", List, Task.FromResult(1), isLarge: true).IsCompletedSuccessfully);

        end.SetResult(1);
        await Task.WhenAll(searches);
    }

    [Fact]
    public async Task Account_reads_one_list_until_it_is_known_how_large_its_pages_are()
    {
        var first = ReadAsync("a", List, end.Task, isLarge: false);
        var second = ReadAsync("a", List, Task.FromResult(2), isLarge: false);
        Assert.False(second.IsCompleted);
        Assert.True(ReadAsync("b", List, Task.FromResult(3), isLarge: false).IsCompletedSuccessfully);

        end.SetResult(1);
        Assert.Equal(1, await first);
        Assert.Equal(2, await second);
        var hangs = new TaskCompletionSource<int>();
        var third = ReadAsync("a", List, hangs.Task, isLarge: false);
        Assert.True(ReadAsync("a", List, Task.FromResult(4), isLarge: false).IsCompletedSuccessfully);
        hangs.SetResult(5);
        Assert.Equal(5, await third);
    }
}
