using OtpNet;
using Resources.Grains;
using Resources.Silo;

namespace Resources.Cluster.Tests;

/// <summary>The grain of an account: its secrets in the vault, and the calls of earlier releases.</summary>
public sealed class AccountGrainTests(TwoClusters nodes) : IClassFixture<TwoClusters>
{
    [Fact]
    public async Task The_vault_keeps_only_the_secrets_that_the_account_uses()
    {
        var (id, registered) = await nodes
            .One.Service<Accounts>()
            .RegisterAsync(new(Address(), "first", ["user"], EmailVerified: true), Intent.OfNode());
        var first = registered.Value!.Password;
        await KeepsAsync(2, "the address and the password");

        await DoAsync(new ChangePassword("second", first, PasswordMeans.Change, null));
        await KeepsAsync(2, "the new password in place of the old one");
        await RefuseAsync(new ChangePassword("third", first, PasswordMeans.Change, null), Refusal.TokenSpent);
        await KeepsAsync(2, "no refused password");
        Assert.Equal("second", (await Grain(id).GetSecrets())!.PasswordHash);

        await DoAsync(new EnrollTotp([1]));
        await DoAsync(new EnrollTotp([2]));
        await KeepsAsync(3, "the last one of two secrets for one-time codes");
        await DoAsync(new RemoveTotp());
        await KeepsAsync(2, "no removed secret");

        await RefuseAsync(new IssueRecoveryCodes(["a"]), Refusal.NoFactor);
        var credential = Credential();
        var passkey = (await DoAsync(new AddPasskey(credential, 0))).Value!.Factors.Passkeys[0].Id;
        await RefuseAsync(new AddPasskey(credential, 0), Refusal.AlreadyExists);
        await DoAsync(new IssueRecoveryCodes(["a", "b"]));
        await DoAsync(new IssueRecoveryCodes(["c", "d"]));
        await KeepsAsync(4, "the passkey and the last recovery codes");
        await DoAsync(new RemovePasskey(passkey));
        await KeepsAsync(2, "neither the passkey nor the recovery codes that went with it");

        await DoAsync(new EnrollTotp([3]));
        await DoAsync(new DeleteAccount());
        await KeepsAsync(0, "nothing of a deleted account");

        async Task<Reply<Account>> DoAsync(AccountCommand command)
        {
            var reply = await Grain(id).Execute(command, Intent.OfNode());
            Assert.Null(reply.Rejection);
            return reply;
        }

        async Task RefuseAsync(AccountCommand command, Refusal refusal) =>
            Assert.Equal(refusal, (await Grain(id).Execute(command, Intent.OfNode())).Rejection?.Kind);

        async Task KeepsAsync(long secrets, string what) =>
            Assert.Equal(
                (what, secrets),
                (what, await nodes.Database.ExecuteAsync("select count(*) from vault where subject = $1", id))
            );
    }

    // During an update nodes of the release before are in the cluster.
    [Fact]
    public async Task Calls_of_earlier_releases_do_what_their_commands_do()
    {
        var id = Guid.CreateVersion7();
        var address = Address();
        Assert.Equal(id, await nodes.One.Service<AccountDirectory>().ClaimAsync(address, id));
        var account = Grain(id);
        var factors = nodes.One.Grain<IFactorGrain>(id);

        var state = await DoneAsync(account.Register(new(address, "first", ["user"], false), Intent.OfNode()));
        Assert.Equal(("user", false), (state.Roles[0], state.EmailVerified));
        state = await DoneAsync(account.VerifyEmail(state.Email, state.Password, Intent.OfNode()));
        Assert.True(state.EmailVerified);
        await DoneAsync(account.ChangePassword("second", state.Password, PasswordMeans.Change, null, Intent.OfNode()));
        Assert.Equal("second", (await account.GetSecrets())!.PasswordHash);
        Assert.Equal(id, (await DoneAsync(account.EndSessions(id, Intent.OfNode()))).KeptSession);
        Assert.Equal(["author"], (await DoneAsync(account.SetRoles(["author"], Intent.OfNode()))).Roles);
        Assert.True((await DoneAsync(account.SetDisabled(true, Intent.OfNode()))).Disabled);
        Assert.False((await DoneAsync(account.SetDisabled(false, Intent.OfNode()))).Disabled);
        var before = (await account.Get()).Version;
        await account.NoteFailedLogin("password", Intent.OfNode());
        Assert.Equal(before + 1, (await account.Get()).Version);

        var secret = KeyGeneration.GenerateRandomKey(20);
        Assert.NotNull((await DoneAsync(factors.EnrollTotp(secret, Intent.OfNode()))).Factors.TotpSecret);
        var code = new Totp(secret).ComputeTotp();
        Assert.True((await DoneAsync(factors.ConfirmTotp(code, Intent.OfNode()))).Factors.TotpConfirmed);
        Assert.Equal(
            Refusal.FactorFailed,
            (await factors.Spend(SpendFactor.Totp, code, Intent.OfNode())).Rejection?.Kind
        );
        var codes = RecoveryCodes.Create();
        await DoneAsync(factors.IssueRecoveryCodes([.. codes.Select(RecoveryCodes.Hash)], Intent.OfNode()));
        state = await DoneAsync(factors.Spend(SpendFactor.RecoveryCode, codes[0], Intent.OfNode()));
        Assert.Equal(codes.Length - 1, state.Factors.UnusedCodes.Length);
        await DoneAsync(factors.RemoveTotp(Intent.OfNode()));
        var passkey = (await DoneAsync(factors.AddPasskey(Credential(), 1, Intent.OfNode()))).Factors.Passkeys[0].Id;
        Assert.Equal(passkey, Assert.Single(await factors.GetPasskeys()).Passkey.Id);
        Assert.Equal(
            2,
            (await DoneAsync(factors.UsePasskey(passkey, 2, Intent.OfNode()))).Factors.Passkeys[0].SignCount
        );
        Assert.Empty((await DoneAsync(factors.RemovePasskey(passkey, Intent.OfNode()))).Factors.Passkeys);
        Assert.True((await DoneAsync(account.Delete(Intent.OfNode()))).Deleted);
    }

    IAccountGrain Grain(Guid id) => nodes.One.Grain<IAccountGrain>(id);

    static PasskeyCredential Credential() => new(Guid.NewGuid().ToByteArray(), [1], "Laptop", [], true, false, false);

    static string Address() => $"{Guid.NewGuid():n}@example.org";

    static async Task<Account> DoneAsync(Task<Reply<Account>> call)
    {
        var reply = await call;
        Assert.Null(reply.Rejection);
        return reply.Value!;
    }
}
