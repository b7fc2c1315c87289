using OtpNet;
using Resources.Grains;
using Resources.Silo;

namespace Resources.Cluster.Tests;

/// <summary>
/// Second factors on two activations of one account, as a cluster may briefly have, and retried calls.
/// </summary>
public sealed class FactorGrainTests(TwoClusters nodes) : IClassFixture<TwoClusters>
{
    InProcessSilo One => nodes.One;
    InProcessSilo Other => nodes.Other;

    [Fact]
    [Trait("Conformance", "A14")]
    public async Task One_time_code_used_on_two_activations_at_once_succeeds_once()
    {
        for (var round = 0; round < 5; round++)
        {
            var account = await RegisterAsync();
            var code = Code(await EnrollAsync(account));
            await Other.Grain<IAccountGrain>(account).Get();

            Assert.Equal(
                1,
                await CountTakenAsync(at =>
                    at.Grain<IAccountGrain>(account).Execute(new SpendFactor("totp", code), Intend())
                )
            );
            Assert.Equal(1L, await CountAsync(account, "account.totp_accepted"));
        }
    }

    [Fact]
    [Trait("Conformance", "A15")]
    public async Task Recovery_code_used_on_two_activations_at_once_succeeds_once()
    {
        var account = await RegisterAsync();
        await EnrollAsync(account);
        var codes = RecoveryCodes.Create();
        await One.Grain<IAccountGrain>(account)
            .Execute(new IssueRecoveryCodes([.. codes.Select(RecoveryCodes.Hash)]), Intend());
        await Other.Grain<IAccountGrain>(account).Get();

        foreach (var code in codes)
            Assert.Equal(
                1,
                await CountTakenAsync(at =>
                    at.Grain<IAccountGrain>(account).Execute(new SpendFactor("recovery_code", code), Intend())
                )
            );

        Assert.Equal((long)codes.Length, await CountAsync(account, "account.recovery_code_used"));
        Assert.Empty((await One.Grain<IAccountGrain>(account).Get()).Value!.Factors.UnusedCodes);
    }

    [Fact]
    [Trait("Conformance", "A18")]
    public async Task Passkey_registered_on_two_activations_at_once_is_stored_once()
    {
        for (var round = 0; round < 5; round++)
        {
            var account = await RegisterAsync();
            var credential = Credential();
            await Other.Grain<IAccountGrain>(account).Get();

            Assert.Equal(
                1,
                await CountTakenAsync(at =>
                    at.Grain<IAccountGrain>(account).Execute(new AddPasskey(credential, 0), Intend())
                )
            );
            Assert.Single(await Other.Grain<IAccountGrain>(account).GetPasskeys());
        }
    }

    [Fact]
    [Trait("Conformance", "A18")]
    public async Task Passkey_belongs_to_its_first_account_until_removed()
    {
        var mine = await RegisterAsync();
        var theirs = await RegisterAsync();
        var credential = Credential();
        var added = await One.Grain<IAccountGrain>(mine).Execute(new AddPasskey(credential, 0), Intend());
        Assert.Equal(
            Refusal.AlreadyExists,
            (await Other.Grain<IAccountGrain>(theirs).Execute(new AddPasskey(credential, 0), Intend())).Rejection!.Kind
        );
        Assert.Equal(
            Refusal.AlreadyExists,
            (await One.Grain<IAccountGrain>(mine).Execute(new AddPasskey(credential, 0), Intend())).Rejection!.Kind
        );

        var passkey = Assert.Single(added.Value!.Factors.Passkeys).Id;
        Assert.Equal(
            Refusal.PasskeyNotFound,
            (await Other.Grain<IAccountGrain>(theirs).Execute(new RemovePasskey(passkey), Intend())).Rejection!.Kind
        );
        Assert.Null((await One.Grain<IAccountGrain>(mine).Execute(new RemovePasskey(passkey), Intend())).Rejection);
        Assert.Null(
            (await Other.Grain<IAccountGrain>(theirs).Execute(new AddPasskey(credential, 0), Intend())).Rejection
        );
    }

    [Fact]
    [Trait("Conformance", "A18")]
    public async Task Signature_counter_used_on_two_activations_at_once_succeeds_once()
    {
        var account = await RegisterAsync();
        var credential = Credential();
        var passkey = (await One.Grain<IAccountGrain>(account).Execute(new AddPasskey(credential, 0), Intend()))
            .Value!
            .Factors
            .Passkeys[0]
            .Id;
        await Other.Grain<IAccountGrain>(account).Get();
        for (var count = 1; count <= 5; count++)
            Assert.Equal(
                1,
                await CountTakenAsync(at =>
                    at.Grain<IAccountGrain>(account).Execute(new UsePasskey(passkey, count), Intend())
                )
            );
    }

    // A node may be lost after it has done what was asked and before it could say so.
    [Fact]
    public async Task Retry_after_a_lost_response_has_one_effect_and_returns_a_valid_secret()
    {
        var account = await RegisterAsync();
        var one = One.Grain<IAccountGrain>(account);
        var other = Other.Grain<IAccountGrain>(account);
        var secret = KeyGeneration.GenerateRandomKey(20);
        var codes = RecoveryCodes.Create();
        var credential = Credential();
        string[] hashes = [.. codes.Select(RecoveryCodes.Hash)];

        await TwiceAsync((at, intent) => at.Execute(new EnrollTotp(secret), intent));
        var first = Code(secret, -30);
        await TwiceAsync((at, intent) => at.Execute(new ConfirmTotp(first), intent));
        await TwiceAsync((at, intent) => at.Execute(new IssueRecoveryCodes(hashes), intent));
        await TwiceAsync((at, intent) => at.Execute(new AddPasskey(credential, 0), intent));
        foreach (var code in codes)
            await TwiceAsync((at, intent) => at.Execute(new SpendFactor("recovery_code", code), intent));
        var second = Code(secret);
        await TwiceAsync((at, intent) => at.Execute(new SpendFactor("totp", second), intent));
        Assert.Equal(credential.Label, Assert.Single(await one.GetPasskeys()).Credential.Label);
        // The address, the secret, the codes, the passkey: what was kept for the second call is forgotten.
        Assert.Equal(4L, await nodes.Database.ExecuteAsync("select count(*) from vault where subject = $1", account));

        async Task TwiceAsync(Func<IAccountGrain, Intent, Task<Reply<Account>>> call)
        {
            var intent = Intend();
            var done = await call(one, intent);
            Assert.Null(done.Rejection);
            Other.Contact.MembersChanged();
            var again = await call(other, intent with { Repeated = true });
            Assert.Equal((null, done.Version), (again.Rejection, again.Version));
        }
    }

    [Fact]
    [Trait("Conformance", "A13")]
    public async Task Ticket_is_single_use_and_ends_with_its_time_or_attempts()
    {
        var ticket = Ticket();
        await ticket.Begin([1, 2, 3], TimeSpan.FromMinutes(5), tries: 2);
        Assert.Equal([1, 2, 3], await ticket.Try());
        Assert.Single(await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => ticket.End())), ended => ended);
        Assert.Null(await ticket.Try());

        ticket = Ticket();
        await ticket.Begin([1], TimeSpan.FromMinutes(5), tries: 2);
        Assert.Equal(
            2,
            (await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => ticket.Try()))).Count(content =>
                content is not null
            )
        );

        ticket = Ticket();
        await ticket.Begin([1], TimeSpan.FromSeconds(1), tries: int.MaxValue);
        Assert.NotNull(await ticket.Try());
        await Eventually.HoldsAsync(
            async () => await ticket.Try() is null,
            TimeSpan.FromSeconds(10),
            () => "its time is over"
        );
        Assert.False(await ticket.End());
    }

    ITicketGrain Ticket() => One.Service<IGrainFactory>().GetGrain<ITicketGrain>($"{Guid.NewGuid()}");

    async Task<Guid> RegisterAsync()
    {
        var (id, reply) = await One.Service<Accounts>()
            .RegisterAsync(new($"{Guid.NewGuid():n}@example.org", null, ["user"], EmailVerified: true), Intend());
        Assert.Null(reply.Rejection);
        return id;
    }

    /// <summary>Sets up one-time codes, without using the current code.</summary>
    async Task<byte[]> EnrollAsync(Guid account)
    {
        var grain = One.Grain<IAccountGrain>(account);
        var secret = KeyGeneration.GenerateRandomKey(20);
        Assert.Null((await grain.Execute(new EnrollTotp(secret), Intend())).Rejection);
        // The step of time may end between the code and its check.
        await Eventually.HoldsAsync(
            async () => (await grain.Execute(new ConfirmTotp(Code(secret, -30)), Intend())).Rejection is null,
            TimeSpan.FromSeconds(5),
            () => "a code is confirmed"
        );
        return secret;
    }

    /// <summary>
    /// Sends a call to both activations at once, four times each. Returns how many succeeded; the others were refused
    /// for this reason.
    /// </summary>
    async Task<int> CountTakenAsync(Func<InProcessSilo, Task<Reply<Account>>> call)
    {
        var replies = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => call(i % 2 is 0 ? One : Other)));
        Assert.All(replies.Where(reply => reply.Rejection is not null), reply =>
            Assert.Contains(reply.Rejection!.Kind, new[] { Refusal.FactorFailed, Refusal.AlreadyExists })
        );
        return replies.Count(reply => reply.Rejection is null);
    }

    async Task<long> CountAsync(Guid account, string type) =>
        (long)
            (
                await nodes.Database.ExecuteAsync(
                    "select count(*) from mt_events where stream_id = $1 and type = $2",
                    account,
                    type
                )
            )!;

    static string Code(byte[] secret, int seconds = 0) =>
        new Totp(secret).ComputeTotp(DateTime.UtcNow.AddSeconds(seconds));

    static PasskeyCredential Credential() =>
        new(Guid.NewGuid().ToByteArray(), [1, 2, 3], "phone", ["internal"], true, false, false);

    static Intent Intend() => new(Guid.CreateVersion7(), "tester", null, null, Conditions.None);
}
