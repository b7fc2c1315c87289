using System.Text.Json;
using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Cluster.Tests;

/// <summary>Changes of subscriptions are events, and rows follow them whatever dies in between.</summary>
public sealed class SubscriptionEventTests(SubscriptionNode one) : IClassFixture<SubscriptionNode>
{
    static readonly TimeSpan Plenty = TimeSpan.FromSeconds(30);
    static readonly DateTimeOffset Later = DateTimeOffset.UtcNow.AddDays(1);

    readonly LogDatabase tables = one.Tables;
    readonly InProcessSilo node = one.Node;
    readonly Guid owner = one.Owner;

    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    Subscriptions All => node.Service<Subscriptions>();

    [Fact]
    public async Task Every_change_appends_its_event_and_the_row_follows()
    {
        var id = await CreateAsync("http://127.0.0.1:1/token?key=hidden");
        await All.PauseAsync(id, By());
        Assert.Equal("paused", await StateAsync(id));
        await All.ResumeAsync(id, By());
        Assert.Equal("active", await StateAsync(id));
        var secret = await All.RotateAsync(id, "webhook", By(), Cancelled);
        await All.ReplayAsync(id, 0, By());

        Assert.Equal(
            [
                "subscription.created",
                "subscription.paused",
                "subscription.resumed",
                "subscription.secret_rotated",
                "subscription.replayed",
            ],
            await TypesAsync(id)
        );
        Assert.Equal(5L, await RowAsync<long>(id, "version"));
        Assert.True(await RowAsync<bool>(id, "secret <> previous_secret and previous_until > now()"));
        Assert.Equal(
            0L,
            await tables.ExecuteAsync("select count(*) from subscription_secrets where subscription = $1", id)
        );

        await All.DeleteAsync(id, By());
        Assert.Equal("subscription.deleted", (await TypesAsync(id))[^1]);
        Assert.Null(await tables.ExecuteAsync("select id from subscriptions where id = $1", id));

        // What gives access to the target, or lets somebody sign, is in no event.
        var log = (string)
            (await tables.ExecuteAsync("select string_agg(data::text, ' ') from mt_events where stream_id = $1", id))!;
        Assert.Contains("http://127.0.0.1:1", log, StringComparison.Ordinal);
        Assert.DoesNotContain("hidden", log, StringComparison.Ordinal);
        Assert.DoesNotContain("token", log, StringComparison.Ordinal);
        Assert.DoesNotContain(secret!["whsec_".Length..], log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Audit_tells_who_did_it_by_which_session_and_from_where()
    {
        var session = Guid.CreateVersion7();
        var id = await CreateAsync(null);
        await All.PauseAsync(id, By() with { Session = session, Address = "192.0.2.7" });

        var (entries, _) = await node.Service<AuditQueries>()
            .PageAsync(long.MaxValue, new(null, id, null, ["subscription.*"], null, null), 10, Cancelled);

        Assert.Equal(["subscription.paused", "subscription.created"], entries.Select(entry => entry.Type));
        Assert.Equal(
            (owner.ToString(), session.ToString(), "192.0.2.7"),
            (entries[0].Actor, entries[0].Session, entries[0].Address)
        );
    }

    [Fact]
    public async Task Retried_command_is_one_event()
    {
        var id = await CreateAsync(null);
        var grain = node.Grain<ISubscriptionSettingsGrain>(id);
        var intent = By();
        for (var i = 0; i < 3; i++)
            Assert.Null((await grain.Execute(new ReplaySubscription(0), intent with { Repeated = i > 0 })).Rejection);
        Assert.Equal(["subscription.created", "subscription.replayed"], await TypesAsync(id));
        Assert.Equal(2L, await RowAsync<long>(id, "version"));
    }

    [Fact]
    public async Task Row_follows_events_whose_node_died_before_it_could()
    {
        var id = await CreateAsync("http://127.0.0.1:1/");
        var before = await RowAsync<byte[]>(id, "secret");
        var secret = Guid.CreateVersion7();
        await tables.ExecuteAsync(
            "insert into subscription_secrets (id, subscription, sealed) values ($1, $2, 'new')",
            secret,
            id
        );
        await AppendAsync(id, 1, new SubscriptionPaused(), new SubscriptionSecretRotated(secret, Later));

        await Eventually.HoldsAsync(async () => await RowAsync<long>(id, "version") is 3, Plenty);

        Assert.Equal("paused", await StateAsync(id));
        Assert.Equal("new", await RowAsync<string>(id, "convert_from(secret, 'UTF8')"));
        Assert.Equal(before, await RowAsync<byte[]>(id, "previous_secret"));

        await AppendAsync(id, 3, new SubscriptionDeleted());
        await Eventually.HoldsAsync(
            async () => await tables.ExecuteAsync("select id from subscriptions where id = $1", id) is null,
            Plenty
        );
    }

    [Fact]
    public async Task Next_change_brings_a_late_row_up_to_date_without_waiting()
    {
        var id = await CreateAsync(null);
        await AppendAsync(id, 1, new SubscriptionPaused());
        // The grain has the subscription in memory as it was; it loses to the event, and decides again.
        await All.PauseAsync(id, By());
        Assert.Equal(["subscription.created", "subscription.paused"], await TypesAsync(id));
        Assert.Equal("paused", await StateAsync(id));
    }

    [Fact]
    public async Task Claim_without_an_event_is_hidden_and_released_and_with_one_it_is_completed()
    {
        var lost = await ClaimAsync("lost", TimeSpan.FromMinutes(5));
        var late = await ClaimAsync("late", TimeSpan.Zero);
        var fresh = await ClaimAsync("fresh", TimeSpan.Zero);
        var queries = node.Service<SubscriptionQueries>();
        Assert.Null(await queries.FindAsync(late, null, Cancelled));
        await AppendAsync(
            late,
            0,
            new SubscriptionCreated(owner, "late", new(), JsonText.Stored("""{"kind":"pull"}"""u8), 0, null)
        );

        await Eventually.HoldsAsync(
            async () => await tables.ExecuteAsync("select id from subscriptions where id = $1", lost) is null,
            Plenty
        );
        await Eventually.HoldsAsync(async () => await StateAsync(late) is "active", Plenty);

        Assert.NotNull(await queries.FindAsync(late, null, Cancelled));
        Assert.Equal("creating", await StateAsync(fresh));
        Assert.Empty(await TypesAsync(lost));
    }

    /// <summary>It writes the credential into the headers alone, and another node may let the row follow.</summary>
    [Fact]
    public async Task Subscription_that_a_key_creates_at_a_node_of_the_version_before_is_bounded_by_that_key()
    {
        var key = Guid.CreateVersion7();
        await AppendAsync(key, 0, new ApiKeyCreated(owner, "k", "hash", [], Later));
        foreach (var (credential, expected) in new (Guid, Guid?)[] { (key, key), (Guid.CreateVersion7(), null) })
        {
            var id = await ClaimAsync($"{credential}", TimeSpan.Zero);
            var created = new SubscriptionCreated(owner, "k", new(), JsonText.Stored("""{"kind":"pull"}"""u8), 0, null);
            Assert.NotNull(
                await node.Service<EventLog>().AppendAsync(id, 0, [created], By() with { Session = credential })
            );
            await Eventually.HoldsAsync(async () => await StateAsync(id) is "active", Plenty);
            Assert.Equal(
                expected,
                await tables.ExecuteAsync("select api_key from subscriptions where id = $1", id) as Guid?
            );
        }
    }

    [Fact]
    public async Task Subscription_of_the_version_before_gets_its_events_and_keeps_its_secret()
    {
        var id = Guid.CreateVersion7();
        await tables.ExecuteAsync(
            """
            insert into subscriptions (id, owner, name, filter, kind, url, secret, position, state, last_error)
            values ($1, $2, $3, '{"type":"book"}', 'webhook', 'https://example.org/hook', 'old', 0, 'disabled', 'gone')
            """,
            id,
            owner,
            $"{id}"
        );

        await Eventually.HoldsAsync(async () => await RowAsync<long>(id, "version") is 2, Plenty);

        Assert.Equal(["subscription.created", "subscription.disabled"], await TypesAsync(id));
        Assert.Equal(
            """system disabled old gone {"kind": "webhook", "origin": "https://example.org"}""",
            await tables.ExecuteAsync(
                """
                select e.user_name || ' ' || s.state || ' ' || convert_from(s.secret, 'UTF8') || ' ' || s.last_error || ' ' || (e.data -> 'delivery')::text
                from subscriptions s join mt_events e on e.stream_id = s.id and e.version = 1 where s.id = $1
                """,
                id
            )
        );
    }

    [Fact]
    public async Task Change_by_a_node_of_the_version_before_gets_its_event()
    {
        var id = await CreateAsync(null);
        await tables.ExecuteAsync(
            "update subscriptions set state = 'paused', revision = revision + 1 where id = $1",
            id
        );
        await All.ResumeAsync(id, By());
        Assert.Equal(["subscription.created", "subscription.paused", "subscription.resumed"], await TypesAsync(id));
        Assert.Equal("active", await StateAsync(id));
    }

    /// <summary>Its projection would stop at events that it does not know.</summary>
    [Fact]
    public async Task Projection_of_the_version_before_leaves_the_events_out()
    {
        var id = await CreateAsync(null);
        Assert.Equal(
            true,
            await tables.ExecuteAsync("select bool_and(is_skipped) from mt_events where stream_id = $1", id)
        );
        await InProcessSilo.DeactivateAsync(node.Grain<ISubscriptionSettingsGrain>(id));
        await All.PauseAsync(id, By());
        Assert.Equal(["subscription.created", "subscription.paused"], await TypesAsync(id));
    }

    [Fact]
    public async Task Target_that_is_gone_disables_by_an_event_of_the_node()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        receiver.AnswerWith(_ => 410);
        var id = await CreateAsync(receiver.Url.ToString());
        var reply = await node.Resource(Guid.CreateVersion7())
            .Execute(new CreateResource($"{id:n}", "sample", "active", JsonText.Empty), By());
        Assert.Null(reply.Rejection);

        await Eventually.HoldsAsync(async () => await StateAsync(id) is "disabled", Plenty);

        Assert.Equal(
            """system {"reason": "The target answered 410 Gone."}""",
            await tables.ExecuteAsync(
                "select user_name || ' ' || data::text from mt_events where stream_id = $1 and type = 'subscription.disabled'",
                id
            )
        );
    }

    Intent By() => new(Guid.CreateVersion7(), owner.ToString(), null, null, Conditions.None);

    async Task<Guid> CreateAsync(string? url)
    {
        var id = Guid.CreateVersion7();
        var delivery = JsonSerializer.SerializeToElement(new { kind = url is null ? "pull" : "webhook", url });
        var (creation, _) = await All.CreateAsync(
            new(id, owner, $"{id}", new($"{id:n}"), JsonText.From(delivery), 0),
            By(),
            Cancelled
        );
        Assert.Equal(Creation.Done, creation);
        return id;
    }

    async Task<Guid> ClaimAsync(string name, TimeSpan age)
    {
        var id = Guid.CreateVersion7();
        await tables.ExecuteAsync(
            """
            insert into subscriptions (id, owner, name, filter, delivery, position, state, created_at)
            values ($1, $2, $3, '{}', '{"kind":"pull"}', 0, 'creating', clock_timestamp() - $4)
            """,
            id,
            owner,
            name,
            age
        );
        return id;
    }

    async Task AppendAsync(Guid id, long version, params object[] events) =>
        Assert.NotNull(await node.Service<EventLog>().AppendAsync(id, version, events, By()));

    async Task<string[]> TypesAsync(Guid id) =>
        (string[])
            (
                await tables.ExecuteAsync(
                    "select array(select type::text from mt_events where stream_id = $1 order by version)",
                    id
                )
            )!;

    Task<string?> StateAsync(Guid id) => RowAsync<string?>(id, "state");

    async Task<T> RowAsync<T>(Guid id, string column) =>
        (T)(await tables.ExecuteAsync($"select {column} from subscriptions where id = $1", id))!;
}
