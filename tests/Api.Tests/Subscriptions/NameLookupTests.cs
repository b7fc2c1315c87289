using System.Collections.Concurrent;
using System.Net;
using Resources.Silo;

namespace Resources.Api.Tests;

/// <summary>Look-ups of names that clients choose, by name servers that clients choose.</summary>
[Collection(BoundedServers.Name)]
[Trait("Conformance", "I2")]
public sealed class NameLookupTests(Backend backend)
{
    const string NoAnswer = "The target's name could not be looked up in time.";

    static readonly TimeSpan Plenty = TimeSpan.FromSeconds(20);
    static readonly IPAddress[] Public = [IPAddress.Parse("93.184.215.14")];

    readonly ConcurrentQueue<string> asked = new();
    readonly TaskCompletionSource<IPAddress[]> silence = new();

    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    WebhookTargets Targets() => new(new(), Names(TimeProvider.System));

    NameLookups Names(TimeProvider time) =>
        new(
            (name, _) =>
            {
                asked.Enqueue(name);
                return name.StartsWith("silent", StringComparison.Ordinal)
                    ? silence.Task
                    : Task.FromResult<IPAddress[]>(name is "nowhere.example" ? [] : Public);
            },
            time
        );

    [Fact]
    public async Task Name_that_nobody_answers_for_delays_nobody_else()
    {
        var targets = Targets();
        var silent = Enumerable
            .Range(0, 10)
            .Select(i => targets.RefuseAsync($"https://silent{i}.example/", "attacker", Cancelled))
            .ToArray();

        Assert.Null(await targets.RefuseAsync("https://good.example/", "another", Cancelled));

        Assert.False(silent.Any(each => each.IsCompleted), "A silent name was answered for.");
        Assert.All(await Task.WhenAll(silent).WaitAsync(Plenty, Cancelled), refusal => Assert.Equal(NoAnswer, refusal));
        // One at a time, as long as nobody has answered: each keeps a thread.
        Assert.Equal(["silent0.example", "good.example"], asked);

        silence.SetResult(Public);
        Assert.Null(await targets.RefuseAsync("https://good.example/", "attacker", Cancelled));
    }

    [Fact]
    public async Task Node_keeps_few_threads_for_silent_names()
    {
        var targets = Targets();
        var silent = Enumerable
            .Range(0, 20)
            .Select(i => targets.RefuseAsync("https://silent.example/", $"attacker {i}", Cancelled))
            .ToArray();
        await Task.WhenAll(silent).WaitAsync(Plenty, Cancelled);
        Assert.Equal(4, asked.Count);
    }

    [Fact]
    public async Task Silent_targets_of_one_account_delay_its_own_connections_only()
    {
        var names = Names(TimeProvider.System);
        var silent = Enumerable
            .Range(0, 20)
            .Select(i => names.ForTargetAsync("attacker", $"silent{i}.co.uk", Cancelled))
            .ToArray();

        Assert.Equal(Public, await names.ForTargetAsync("another", "good.co.uk", Cancelled));

        Assert.False(silent.Any(each => each.IsCompleted), "A silent name was answered for.");
        foreach (var each in silent)
            Assert.Equal(NoAnswer, (await Record.ExceptionAsync(() => each))?.Message);
        // Two at a time, as long as nobody has answered: each keeps a thread.
        Assert.Equal(["silent0.co.uk", "silent1.co.uk", "good.co.uk"], asked);
    }

    [Fact]
    public async Task Silent_target_is_asked_for_once_by_all_and_again_after_a_minute()
    {
        var clock = new TestClock();
        var names = Names(clock);
        Task<IPAddress[]> AskAsync(string owner) => names.ForTargetAsync(owner, "silent.example", Cancelled);
        var waiting = Enumerable.Range(0, 20).Select(i => AskAsync($"account {i}")).ToArray();
        foreach (var each in waiting)
            Assert.Equal(NoAnswer, (await Record.ExceptionAsync(() => each))?.Message);
        Assert.Single(asked);
        Assert.True(AskAsync("one more").IsFaulted, "It waits for what nobody has answered.");

        clock.Ahead += NameLookups.Silence;
        var again = AskAsync("later");
        Assert.False(again.IsCompleted, "It does not wait.");
        silence.SetResult(Public);
        Assert.Equal(Public, await again);
        Assert.Equal(Public, await AskAsync("last"));
    }

    /// <summary>Else a caller could find out which names there are in the operator's network.</summary>
    [Fact]
    public async Task Name_without_an_address_and_name_with_a_private_one_look_the_same()
    {
        var targets = Targets();
        Assert.Equal(WebhookTargets.NotPublic, await targets.RefuseAsync("https://nowhere.example/", "a", Cancelled));
        Assert.Equal(WebhookTargets.NotPublic, await targets.RefuseAsync("https://10.0.0.1/", "a", Cancelled));
    }

    [Fact]
    public async Task Names_are_looked_up_a_few_times_a_minute_and_only_for_subscriptions_without_another_fault()
    {
        await using var server = await backend.StartServerAsync(("RateLimits:Lookups:Permits", "2"));
        var admin = await server.AdminAsync();
        for (var i = 0; i < 3; i++)
            Assert.Equal("VALIDATION_FAILED", (await SubscribeAsync("", "https://name.invalid/")).Code);
        Assert.Equal(201, (await SubscribeAsync("taken", "https://93.184.215.14/")).Status);
        for (var i = 0; i < 3; i++)
            Assert.Equal("ALREADY_EXISTS", (await SubscribeAsync("taken", "https://name.invalid/")).Code);

        for (var i = 0; i < 2; i++)
            Assert.Equal("WEBHOOK_TARGET_FORBIDDEN", (await SubscribeAsync($"{i}", "https://name.invalid/")).Code);
        var limited = await SubscribeAsync("more", "https://name.invalid/");
        Assert.Equal((429, "RATE_LIMITED"), (limited.Status, limited.Code));
        Assert.Equal(201, (await SubscribeAsync("literal", "https://93.184.215.14/")).Status);

        Task<Answer> SubscribeAsync(string name, string url) =>
            admin.PostAsync("/subscriptions", new { name, delivery = new { kind = "webhook", url } });
    }
}
