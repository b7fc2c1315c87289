using Orleans.Runtime;
using Resources.Grains;

namespace Resources.Domain.Tests;

/// <summary>Calls into the cluster that nodes lose.</summary>
public sealed class ClusterCallTests
{
    static readonly Intent Some = Intent.OfNode();

    [Fact]
    public async Task Command_that_a_lost_node_had_is_sent_again_and_marked_as_repeated()
    {
        var sent = new List<bool>();

        var answer = await ClusterCalls.SendAsync(Some, intent =>
        {
            sent.Add(intent.Repeated);
            return intent.Repeated
                ? Task.FromResult("done")
                : Task.FromException<string>(new OrleansException("The node is lost."));
        });

        Assert.Equal("done", answer);
        Assert.Equal([false, true], sent);
    }

    [Fact]
    public async Task Command_without_an_answer_is_not_sent_again_meanwhile()
    {
        var slow = new TaskCompletionSource<string>();
        var sent = 0;

        var sending = ClusterCalls.SendAsync(Some, _ =>
        {
            sent++;
            return slow.Task;
        });
        await Task.Delay(TimeSpan.FromSeconds(4), TestContext.Current.CancellationToken);
        slow.SetResult("late");

        Assert.Equal(("late", 1), (await sending, sent));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Whichever_read_answers_first_counts(bool first)
    {
        var slow = new TaskCompletionSource<string>();
        var calls = 0;

        var reading = ClusterCalls.ReadAsync(() =>
            calls++ is 0 == first ? slow.Task : Task.FromException<string>(new OrleansException("The node is lost."))
        );
        // The failed first one is sent again at once; the silent one after a time.
        while (calls < 2)
            await Task.Delay(10, TestContext.Current.CancellationToken);
        slow.SetResult("late");

        Assert.Equal("late", await reading);
    }

    [Fact]
    public async Task Refusal_of_the_store_is_not_sent_again()
    {
        var calls = 0;

        await Assert.ThrowsAsync<StoreUnavailableException>(() =>
            ClusterCalls.ReadAsync(() =>
            {
                calls++;
                return Task.FromException<string>(new StoreUnavailableException("away"));
            })
        );

        Assert.Equal(1, calls);
    }
}
