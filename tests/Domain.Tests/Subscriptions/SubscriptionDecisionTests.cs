using Resources.Grains;

namespace Resources.Domain.Tests;

/// <summary>The decisions on a subscription.</summary>
public class SubscriptionDecisionTests
{
    static readonly Guid Id = Guid.Parse("0190163d-8694-739b-aea5-966c26f8ad90");
    static readonly JsonText Pull = Story.Text("""{"kind":"pull"}""");
    static readonly SubscriptionEvent Created = new SubscriptionCreated(Id, "books", new("book"), Pull, 7, Id);

    [Fact]
    public void Creating_tells_what_delivers_to_whom_and_from_where()
    {
        var command = new CreateSubscription(Id, "books", new("book"), Pull, 7, Id);
        Assert.Equal([Created], When([], command).Events);
        Assert.Equal(new(Id, "books", new("book"), Pull, "active", false), Fold([Created]));
    }

    [Fact]
    public void Change_that_changes_nothing_appends_nothing()
    {
        Assert.Empty(When([Created], new ResumeSubscription()).Events);
        Assert.Empty(When([Created, new SubscriptionPaused()], new PauseSubscription()).Events);
        Assert.Empty(When([Created, new SubscriptionPaused()], new DisableSubscription("gone")).Events);
        Assert.Empty(When([Created, new SubscriptionDeleted()], new DeleteSubscription()).Events);
        Assert.Empty(When([Created], Adopt("active")).Events);
    }

    [Fact]
    public void Target_that_is_gone_disables_until_somebody_pauses_or_resumes()
    {
        var disabled = When([Created], new DisableSubscription("gone")).Events;
        Assert.Equal([new SubscriptionDisabled("gone")], disabled);
        Assert.Equal("disabled", Fold([Created, .. disabled])!.State);
        Assert.Equal([new SubscriptionPaused()], When([Created, .. disabled], new PauseSubscription()).Events);
        Assert.Equal([new SubscriptionResumed()], When([Created, .. disabled], new ResumeSubscription()).Events);
    }

    [Fact]
    public void Every_rotation_and_replay_is_told()
    {
        SubscriptionCommand[] commands =
        [
            new RotateSubscriptionSecret(Id, Story.At(9)),
            new ReplaySubscription(3),
            new RetryParkedResource(Id),
            new DeleteSubscription(),
        ];
        Assert.Equal(
            [
                new SubscriptionSecretRotated(Id, Story.At(9)),
                new SubscriptionReplayed(3, null),
                new SubscriptionReplayed(null, Id),
                new SubscriptionDeleted(),
            ],
            commands.SelectMany(command => When([Created], command).Events)
        );
    }

    [Fact]
    public void Missing_and_deleted_subscriptions_take_no_command()
    {
        SubscriptionCommand[] commands =
        [
            new PauseSubscription(),
            new ResumeSubscription(),
            new DisableSubscription("gone"),
            new RotateSubscriptionSecret(Id, Story.At(9)),
            new ReplaySubscription(3),
            new RetryParkedResource(Id),
        ];
        foreach (
            var given in (SubscriptionEvent[][])
                [
                    [],
                    [Created, new SubscriptionDeleted()],
                ]
        )
            Assert.All(commands, command =>
                Assert.Equal(Refusal.SubscriptionNotFound, When(given, command).Rejection?.Kind)
            );
        Assert.Equal(Refusal.SubscriptionNotFound, When([], new DeleteSubscription()).Rejection?.Kind);
    }

    [Fact]
    public void Subscription_of_the_version_before_gets_the_events_that_lead_to_its_state()
    {
        var created = new SubscriptionCreated(Id, "books", new("book"), Pull, 7, null);
        Assert.Equal([created], When([], Adopt("active")).Events);
        Assert.Equal([created, new SubscriptionPaused()], When([], Adopt("paused")).Events);
        Assert.Equal([created, new SubscriptionDisabled("gone")], When([], Adopt("disabled", "gone")).Events);
        Assert.Equal([new SubscriptionPaused()], When([Created], Adopt("paused")).Events);
        Assert.Equal([new SubscriptionResumed()], When([Created, new SubscriptionPaused()], Adopt("active")).Events);
    }

    static AdoptSubscription Adopt(string state, string? reason = null) =>
        new(Id, "books", new("book"), Pull, 7, state, reason);

    static SubscriptionSettings? Fold(IEnumerable<SubscriptionEvent> events) =>
        events
            .Select((data, i) => new Recorded<SubscriptionEvent>(data, i + 1, 10 * i, Story.At(i), Story.Alice))
            .Aggregate((SubscriptionSettings?)null, SubscriptionSettings.Evolve);

    static Decision<SubscriptionEvent> When(IReadOnlyList<SubscriptionEvent> given, SubscriptionCommand command) =>
        SubscriptionSettings.Decide(Fold(given), command, new(given.Count, Story.By(Story.Bob), Story.At(given.Count)));
}
