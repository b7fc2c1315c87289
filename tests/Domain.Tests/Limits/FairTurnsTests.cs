using Resources.Grains;

namespace Resources.Domain.Tests;

/// <summary>Turns at costly work, fair between callers.</summary>
public class FairTurnsTests
{
    static readonly TimeSpan Long = TimeSpan.FromMinutes(1);

    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    static FairTurns Turns(int atOnce, int perCaller, int maxWaiting = 100) =>
        new(atOnce, perCaller, maxWaiting, TimeProvider.System);

    static Task<IDisposable?> TakeAsync(FairTurns turns, string caller) =>
        turns.TakeAsync(caller, Long, Cancelled).AsTask();

    [Fact]
    public async Task Caller_who_has_its_turns_leaves_the_others_to_the_rest()
    {
        var turns = Turns(atOnce: 4, perCaller: 2);
        var many = Enumerable.Range(0, 10).Select(_ => TakeAsync(turns, "many")).ToArray();
        Assert.Equal(2, many.Count(each => each.IsCompleted));

        Assert.True(TakeAsync(turns, "one").IsCompleted);
        Assert.True(TakeAsync(turns, "two").IsCompleted);
        Assert.False(TakeAsync(turns, "three").IsCompleted);

        (await many[0])!.Dispose();
        await many[2].WaitAsync(Long, Cancelled);
        Assert.Equal(3, many.Count(each => each.IsCompleted));
    }

    [Fact]
    public async Task Caller_may_have_fewer_turns_than_others_for_a_while()
    {
        var turns = Turns(atOnce: 4, perCaller: 2);
        Task<IDisposable?> TakeOneAsync() => turns.TakeAsync("large", Long, Cancelled, most: 1).AsTask();
        var first = await TakeAsync(turns, "large");
        var second = TakeOneAsync();
        Assert.False(second.IsCompleted);
        Assert.True(TakeAsync(turns, "other").IsCompleted);
        Assert.True(TakeAsync(turns, "other").IsCompleted);

        first!.Dispose();
        await second.WaitAsync(Long, Cancelled);
        Assert.False(TakeOneAsync().IsCompleted);
        Assert.True(TakeAsync(turns, "third").IsCompleted);
    }

    [Fact]
    public async Task Waiting_callers_take_their_turns_one_after_the_other()
    {
        var turns = Turns(atOnce: 1, perCaller: 1);
        var first = await TakeAsync(turns, "a");
        var order = new List<string>();
        var waiting = new[] { "a", "a", "a", "b", "b", "c" }
            .Select(async caller =>
            {
                using var turn = await TakeAsync(turns, caller);
                lock (order)
                    order.Add(caller);
            })
            .ToArray();

        first!.Dispose();
        await Task.WhenAll(waiting).WaitAsync(Long, Cancelled);

        Assert.Equal(["a", "b", "c", "a", "b", "a"], order);
    }

    [Fact]
    public async Task Who_waits_too_long_or_behind_too_many_gets_none_and_leaves_nothing_behind()
    {
        var turns = Turns(atOnce: 1, perCaller: 1, maxWaiting: 1);
        var first = await TakeAsync(turns, "a");
        Assert.Null(await turns.TakeAsync("a", TimeSpan.FromMilliseconds(1), Cancelled));
        using var leaving = new CancellationTokenSource();
        var left = turns.TakeAsync("a", Long, leaving.Token).AsTask();
        Assert.Null(await TakeAsync(turns, "a"));
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left);

        first!.Dispose();
        first.Dispose();

        Assert.True(TakeAsync(turns, "b").IsCompleted);
        Assert.False(TakeAsync(turns, "a").IsCompleted);
    }
}
