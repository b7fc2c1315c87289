using System.Collections.Concurrent;
using CsCheck;
using Resources.Grains;

namespace Resources.Domain.Tests;

/// <summary>
/// What holds for the factors of an account through every life of it, whatever is asked in whatever order.
/// </summary>
public class FactorProperties
{
    static readonly Guid[] Names = [.. Enumerable.Range(1, 3).Select(number => new Guid(number, 0, 0, new byte[8]))];
    static readonly Gen<Guid> Name = Gen.OneOf(Names);
    static readonly Gen<long> Step = Gen.Long[1, 6];
    static readonly Gen<long> Count = Gen.Long[0, 4];

    static readonly Gen<FactorCommand> Command = Gen.OneOf(
        Name.Select(FactorCommand (name) => new EnrollTotp(name)),
        Gen.Select(Name, Step, FactorCommand (name, step) => new ConfirmTotp(name, step)),
        Gen.Select(Name, Step, FactorCommand (name, step) => new AcceptTotp(name, step)),
        Gen.Const<FactorCommand>(new RemoveTotp()),
        Name.Select(FactorCommand (name) => new IssueRecoveryCodes(name, 3)),
        Gen.Select(Name, Gen.Int[-1, 4], FactorCommand (name, index) => new UseRecoveryCode(name, index)),
        Gen.Select(Name, Name, Count, FactorCommand (name, secret, count) => new AddPasskey(name, secret, count)),
        Gen.Select(Name, Count, FactorCommand (name, count) => new UsePasskey(name, count)),
        Name.Select(FactorCommand (name) => new RemovePasskey(name))
    );

    static readonly Gen<FactorCommand[]> Life = Command.Array[0, 60];

    /// <summary>Lives a life: each event with the factors before and after it.</summary>
    static List<(Factors Before, AccountEvent Event, Factors After)> Live(FactorCommand[] commands)
    {
        var factors = Factors.None;
        var lived = new List<(Factors, AccountEvent, Factors)>();
        foreach (var command in commands)
        foreach (var happened in factors.Decide(command).Events)
        {
            var after = factors.Evolve(
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
    public void A_step_of_time_is_accepted_once_and_none_before_it() =>
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
    public void A_recovery_code_is_used_once_of_those_that_were_issued_last() =>
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
    public void Without_a_factor_to_stand_in_for_there_are_no_recovery_codes() =>
        Life.Sample(commands =>
            Live(commands).All(each => each.After is { AreAsked: true } or { RecoveryCodes: null, UnusedCodes: [] })
        );

    [Fact]
    public void A_passkey_is_there_once_and_its_counter_grows_where_it_counts() =>
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
    public void Nothing_but_a_confirmed_code_a_passkey_or_their_removal_changes_whether_a_factor_is_asked_for() =>
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
    public void Lives_have_every_event_that_there_is()
    {
        var seen = new ConcurrentDictionary<Type, bool>();
        Life.Sample(commands => Live(commands).ForEach(each => seen.TryAdd(each.Event.GetType(), true)), iter: 1_000);
        Assert.Equal(9, seen.Count);
    }
}
