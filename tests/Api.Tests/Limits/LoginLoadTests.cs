using System.Collections.Concurrent;

namespace Resources.Api.Tests;

/// <summary>More passwords than a node can hash.</summary>
[Trait("Conformance", "A8")]
public sealed class LoginLoadTests(Backend backend)
{
    static readonly HashCaller Flood = new("10.0.0", "10.0.0.1", IsKnown: false);

    [Fact]
    public async Task Guesses_from_many_networks_leave_turns_to_a_browser_used_before()
    {
        const int Networks = 150;
        await using var node = await backend.StartServerAsync(
            ("Proxies:Trusted:0", "127.0.0.1/32"),
            ("Passwords:HashThreads", "1")
        );
        var person = await Person.CreateAsync(await node.AdminAsync(), node.Address, "user");
        var browser = ("Cookie", (await person.TryAsync()).Cookie("__Host-device")!);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var statuses = new ConcurrentDictionary<int, int>();
        var guest = node.Guest();
        var guesses = Enumerable.Range(0, Networks).Select(GuessAsync).ToArray();
        await Eventually.HoldsAsync(() => statuses.GetValueOrDefault(503) > Networks, TimeSpan.FromSeconds(30));

        for (var i = 0; i < 3; i++)
        {
            var hashed = statuses.GetValueOrDefault(401);
            var answer = await person.TryAsync(headers: [browser, ("X-Forwarded-For", "10.0.7.7")]);
            Assert.True(answer.Status is 200, $"{answer}");
            // One is being hashed, one may have its turn first; some answers are still on their way.
            Assert.InRange(statuses.GetValueOrDefault(401) - hashed, 0, 6);
        }
        await enough.CancelAsync();
        await Task.WhenAll(guesses);
        Assert.Equal([401, 503], statuses.Keys.Order());

        async Task GuessAsync(int network)
        {
            while (!enough.IsCancellationRequested)
            {
                var answer = await guest.PostAsync(
                    "/auth/login",
                    new { email = $"nobody{network}@example.org", password = "not the password" },
                    ("X-Forwarded-For", $"10.{network}.1.1")
                );
                statuses.AddOrUpdate(answer.Status, 1, (_, count) => count + 1);
                await Task.Delay(200, enough.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    [Fact]
    public async Task Newcomer_takes_the_place_and_the_turn_of_whoever_has_most()
    {
        using var passwords = new Passwords(new() { HashThreads = 1 });
        var flood = new List<Task<string>>();
        while (Record.Exception(() => passwords.ThrowIfBusy(Flood)) is not PasswordsBusyException)
            flood.Add(passwords.HashAsync("a password", Flood));
        // Fifty wait; a few may have been taken meanwhile, and some after that.
        Assert.InRange(flood.Count, 50, 60);
        flood.AddRange(Enumerable.Range(0, 10).Select(_ => passwords.HashAsync("a password", Flood)));
        Assert.InRange(Refused(), 8, 10);

        foreach (
            var newcomer in new[]
            {
                Flood with
                {
                    Network = "10.0.0.2",
                },
                Flood with
                {
                    Neighbourhood = "10.0.1",
                    Network = "10.0.1.1",
                },
                Flood with
                {
                    IsKnown = true,
                },
            }
        )
        {
            var (refused, hashed) = (Refused(), Hashed());
            passwords.ThrowIfBusy(newcomer);
            await passwords.HashAsync("a password", newcomer);
            Assert.InRange(Refused() - refused, 0, 1);
            Assert.InRange(Hashed() - hashed, 0, 3);
        }

        passwords.Dispose();
        await Assert.ThrowsAsync<PasswordsBusyException>(() => passwords.HashAsync("a password", Flood));
        await Eventually.HoldsAsync(() => flood.All(each => each.IsCompleted));

        int Refused() => flood.Count(each => each.IsFaulted);
        int Hashed() => flood.Count(each => each.IsCompletedSuccessfully);
    }
}
