using System.Collections.Concurrent;
using CsCheck;
using Resources.Grains;

namespace Resources.Domain.Tests;

/// <summary>Properties of the factors of an account, over random histories.</summary>
public class FactorTests
{
    static readonly Guid[] Names = [.. Enumerable.Range(1, 3).Select(number => new Guid(number, 0, 0, new byte[8]))];
    static readonly Gen<Guid> Name = Gen.OneOf(Names);
    static readonly Gen<long> Step = Gen.Long[1, 6];
    static readonly Gen<long> Count = Gen.Long[0, 4];

    static readonly PasskeyCredential Credential = new([1], [2], "Laptop", [], true, false, false);

    static readonly Gen<(FactorCommand Command, AccountFacts Facts)> Asked = Gen.OneOf(
        Name.Select(name => Ask(new EnrollTotp([1]), new(Secret: name))),
        Gen.Select(Name, Step, (name, step) => Ask(new ConfirmTotp("1"), Match(name, step))),
        Gen.Select(Name, Step, (name, step) => Ask(new SpendFactor(SpendFactor.Totp, "1"), Match(name, step))),
        Gen.Const(Ask(new RemoveTotp(), AccountFacts.None)),
        Name.Select(name => Ask(new IssueRecoveryCodes(["a", "b", "c"]), new(Secret: name))),
        Gen.Select(Name, Gen.Int[-1, 4], (name, index) =>
            Ask(new SpendFactor(SpendFactor.RecoveryCode, "1"), Match(name, index))
        ),
        Gen.Select(Name, Name, Count, (name, secret, count) =>
            Ask(new AddPasskey(Credential, count), new(Secret: secret, Passkey: name))
        ),
        Gen.Select(Name, Count, (name, count) => Ask(new UsePasskey(name, count), AccountFacts.None)),
        Name.Select(name => Ask(new RemovePasskey(name), AccountFacts.None))
    );

    static readonly Gen<(FactorCommand Command, AccountFacts Facts)[]> Life = Asked.Array[0, 60];

    static (FactorCommand, AccountFacts) Ask(FactorCommand command, AccountFacts facts) => (command, facts);

    static AccountFacts Match(Guid secret, long number) => new(Code: new(secret, number));

    /// <summary>A random history: each event with the factors before and after it.</summary>
    static List<(Factors Before, AccountEvent Event, Factors After)> Live(
        (FactorCommand Command, AccountFacts Facts)[] commands
    )
    {
        var factors = Factors.None;
        var lived = new List<(Factors, AccountEvent, Factors)>();
        foreach (var (command, facts) in commands)
        foreach (
            var happened in Factors
                .Decide(factors, command, new(new(lived.Count, Story.By(Story.Alice), Story.At(lived.Count)), facts))
                .Events
        )
        {
            var after = Factors.Evolve(
                factors,
                new Recorded<AccountEvent>(
                    happened,
                    lived.Count + 1,
                    lived.Count + 1,
                    Story.At(lived.Count),
                    Story.Alice
                )
            );
            lived.Add((factors, happened, after));
            factors = after;
        }
        return lived;
    }

    [Fact]
    public void Time_step_is_accepted_once_and_no_earlier_one_after_it() =>
        Life.Sample(commands =>
            Live(commands)
                .All(each =>
                    each.Event switch
                    {
                        AccountTotpAccepted e => each.Before.TotpConfirmed
                            && e.Step > each.Before.TotpStep
                            && each.After.TotpStep == e.Step,
                        AccountTotpConfirmed e => !each.Before.TotpConfirmed && each.After.TotpStep == e.Step,
                        AccountTotpEnrolled => !each.Before.TotpConfirmed,
                        _ => each.Before.TotpStep == each.After.TotpStep || each.Event is AccountTotpRemoved,
                    }
                )
        );

    [Fact]
    public void Only_the_latest_recovery_codes_work_each_once() =>
        Life.Sample(commands =>
        {
            var left = new HashSet<int>();
            return Live(commands)
                .All(each =>
                {
                    if (each.Event is AccountRecoveryCodesIssued issued)
                        left = [.. Enumerable.Range(0, issued.Count)];
                    if (each.Event is AccountRecoveryCodeUsed used && !left.Remove(used.Index))
                        return false;
                    if (!each.After.AreAsked)
                        left.Clear();
                    return left.SetEquals(each.After.UnusedCodes);
                });
        });

    [Fact]
    public void Recovery_codes_need_another_factor() =>
        Life.Sample(commands =>
            Live(commands).All(each => each.After is { AreAsked: true } or { RecoveryCodes: null, UnusedCodes: [] })
        );

    [Fact]
    public void Passkey_is_unique_and_its_counter_increases() =>
        Life.Sample(commands =>
            Live(commands)
                .All(each =>
                    each.After.Passkeys.Select(passkey => passkey.Id).Distinct().Count() == each.After.Passkeys.Length
                    && (
                        each.Event is not AccountPasskeyUsed { SignCount: var count } used
                        || each.Before.Passkeys.Single(passkey => passkey.Id == used.Passkey).SignCount is var known
                            && (count > known || (count, known) is (0, 0))
                    )
                )
        );

    [Fact]
    public void Only_confirming_or_removing_a_factor_changes_whether_one_is_required() =>
        Life.Sample(commands =>
            Live(commands)
                .All(each =>
                    each.Before.AreAsked == each.After.AreAsked
                    || (each.Event, each.After.AreAsked)
                        is
                            (AccountTotpConfirmed or AccountPasskeyAdded, true)
                            or
                            (AccountTotpRemoved or AccountPasskeyRemoved, false)
                )
        );

    [Fact]
    public void Generated_histories_contain_every_event()
    {
        var seen = new ConcurrentDictionary<Type, bool>();
        Life.Sample(commands => Live(commands).ForEach(each => seen.TryAdd(each.Event.GetType(), true)), iter: 1_000);
        Assert.Equal(9, seen.Count);
    }
}
