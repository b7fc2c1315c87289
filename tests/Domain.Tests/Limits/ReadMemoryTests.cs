using Resources.Grains;

namespace Resources.Domain.Tests;

/// <summary>Memory for what was read and not received, by caller and in all.</summary>
public class ReadMemoryTests
{
    static readonly TimeSpan Long = TimeSpan.FromMinutes(1);

    readonly ReadMemory memory = new(800, TimeProvider.System);

    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    /// <summary>Takes pieces of 100 until there are no more for the caller.</summary>
    List<MemoryLease> TakeAll(string caller)
    {
        var taken = new List<MemoryLease>();
        while (memory.TryTake(caller, 100) is { } lease)
            taken.Add(lease);
        return taken;
    }

    [Fact]
    public void One_caller_has_half_of_it_and_each_that_comes_finds_some()
    {
        Assert.Equal(4, TakeAll("a").Count);
        Assert.Equal(2, TakeAll("b").Count);
        Assert.Single(TakeAll("c"));
        Assert.Single(TakeAll("d"));
        Assert.Empty(TakeAll("e"));
        Assert.Equal(800, memory.Used);
    }

    /// <summary>With the memory that a node of the compose file has for it.</summary>
    [Fact]
    public async Task Twelve_callers_that_take_what_they_can_leave_the_next_a_page()
    {
        const long Megabyte = 1 << 20;
        var node = new ReadMemory(192 * Megabyte, TimeProvider.System);
        for (var i = 0; i < 12; i++)
            while (
                await node.TakeAsync($"{i}", 16 * Megabyte, TimeSpan.Zero, Cancelled, least: 2 * Megabyte) is not null
            ) { }
        Assert.IsType<AnswersNotReceivedException>(node.Refused("0"));
        Assert.True(node.Used > 144 * Megabyte);

        using var page = await node.TakeAsync("next", 16 * Megabyte, Long, Cancelled, least: 2 * Megabyte);

        Assert.Equal(2 * Megabyte, page!.Size);
    }

    [Fact]
    public void Caller_hears_whether_it_or_the_node_has_no_more()
    {
        foreach (var caller in (string[])["a", "b", "c", "d"])
            TakeAll(caller);

        Assert.IsType<AnswersNotReceivedException>(memory.Refused("a"));
        Assert.Null(memory.TryTake("e", 1));
        Assert.IsType<ReadMemoryFullException>(memory.Refused("e"));
    }

    [Fact]
    public async Task Who_waits_gets_what_others_give_back()
    {
        var all = TakeAll("a");
        var waiting = memory.TakeAsync("a", 100, Long, Cancelled).AsTask();
        Assert.False(waiting.IsCompleted);
        Assert.Null(await memory.TakeAsync("a", 100, TimeSpan.FromMilliseconds(1), Cancelled));

        all[0].Set(60);
        Assert.False(waiting.IsCompleted);
        all[0].Dispose();
        all[0].Dispose();

        using var lease = await waiting.WaitAsync(Long, Cancelled);
        Assert.Equal(400, memory.Used);
    }

    [Fact]
    public async Task Nothing_stays_when_all_is_given_back()
    {
        var all = TakeAll("a");
        using var leaving = new CancellationTokenSource();
        var left = memory.TakeAsync("a", 100, Long, leaving.Token).AsTask();
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left);
        foreach (var lease in all)
            lease.Dispose();
        Assert.Equal(0, memory.Used);
    }

    /// <summary>Else a caller could wait for ever.</summary>
    [Fact]
    public void More_than_an_eighth_of_it_is_taken_as_an_eighth()
    {
        Assert.NotNull(memory.TryTake("a", 1_000));
        Assert.Equal(memory.Largest, memory.Used);
    }
}
