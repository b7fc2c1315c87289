using System.Security.Cryptography;
using System.Text;
using Orleans;
using Resources.Grains;

namespace Resources.Cluster.Tests;

/// <summary>
/// A label: a text of a feature whose rules can change. Its grain gives guards, as those of resources of declared types
/// do.
/// </summary>
[GenerateSerializer, Immutable, Alias("tests.label")]
public sealed record Label(string Text, bool IsRemoved);

public abstract record LabelEvent;

[Event("label.put")]
public sealed record LabelPut(string Text) : LabelEvent;

[Event("label.removed")]
public sealed record LabelRemoved : LabelEvent;

[Alias("tests.ILabelGrain")]
public interface ILabelGrain : IGrainWithGuidKey
{
    /// <summary>Puts a text, which is unique, on whatever there is, and refers to a resource.</summary>
    [Alias("Put")]
    Task<Reply<Label>> Put(string text, Guid? refersTo, Intent intent);

    /// <summary>Removes the label, unless others refer to it.</summary>
    [Alias("Remove")]
    Task<Reply<Label>> Remove(Intent intent);
}

/// <summary>
/// What a node believes of the rules: the longest text that is allowed. The truth is the last name in their stream.
/// </summary>
public sealed class LabelRules
{
    public static readonly Guid Stream = DerivedId.Of("type", "label");

    public Fence Fence { get; private set; } = new(Stream, 0);

    public int Longest { get; private set; } = int.MaxValue;

    /// <summary>What happens whenever the rules are read again.</summary>
    public Func<Task> Reading { get; set; } = () => Task.CompletedTask;

    public async Task RefreshAsync(EventLog log)
    {
        var events = await log.ReadAsync(Stream);
        Fence = new(Stream, events[^1].Sequence);
        Longest = int.Parse(((ResourceRenamed)events[^1].Data).Name);
        await Reading();
    }
}

sealed class LabelGrain(EventLog log, Snapshots snapshots, StoreContact contact, TimeProvider time, LabelRules rules)
    : EventSourcedGrain<Label, LabelEvent>(log, snapshots, contact, time),
        ILabelGrain
{
    readonly EventLog log = log;

    public Task<Reply<Label>> Put(string text, Guid? refersTo, Intent intent) =>
        Transact(intent, (_, _) => Decide(text, refersTo), startsStream: true);

    public Task<Reply<Label>> Remove(Intent intent) =>
        Transact(intent, (_, _) => ((Decision<LabelEvent>)[new LabelRemoved()]).Under(new(rules.Fence, [], [], true)));

    Decision<LabelEvent> Decide(string text, Guid? refersTo)
    {
        Decision<LabelEvent> decision =
            text.Length > rules.Longest ? new Rejection(Refusal.Invalid, "Too long.") : [new LabelPut(text)];
        var value = SHA256.HashData(Encoding.UTF8.GetBytes(text));
        return decision.Under(
            new(
                rules.Fence,
                [new(LabelRules.Stream, 1, value, true, ["/text", "/language"])],
                refersTo is { } id ? [new(1, id, "book", true, "/book")] : [],
                false
            )
        );
    }

    protected override Task RefreshRulesAsync(Fence stale) => rules.RefreshAsync(log);

    protected override Label Evolve(Label? state, Recorded<LabelEvent> recorded) =>
        recorded.Data is LabelPut put ? new(put.Text, false) : state! with { IsRemoved = true };
}
