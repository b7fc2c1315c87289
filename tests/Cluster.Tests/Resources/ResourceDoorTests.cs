using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Cluster.Tests;

/// <summary>The matrix of callers and operations at the door, which every protocol goes through.</summary>
public sealed class ResourceDoorTests(ResourceDoorTests.Door door) : IClassFixture<ResourceDoorTests.Door>
{
    const string Owner = "owner";
    const string Stranger = "stranger";
    const string Reader = "reader";
    const string Admin = "admin";
    const string Nobody = "nobody";

    static readonly Dictionary<string, string[]> Roles = new()
    {
        [Owner] = ["author"],
        [Stranger] = ["author"],
        [Reader] = ["user"],
        [Admin] = ["admin"],
        [Nobody] = [],
    };

    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(Admin, null), InlineData(Reader, null), InlineData(Owner, null)]
    [InlineData(Stranger, Refusal.NotFound), InlineData(Nobody, Refusal.Forbidden)]
    public async Task Reads_need_the_permission_and_the_reach(string who, Refusal? refusal)
    {
        var id = await CreateAsync();
        var caller = CallerOf(who);

        Assert.Equal(refusal, (await door.It.GetAsync(caller, id)).Rejection?.Kind);
        Assert.Equal(refusal, (await door.It.GetAsync(caller, id, new(Version: 1))).Rejection?.Kind);
        Assert.Equal(refusal, (await door.It.CheckHistoryAsync(caller, id, Cancelled))?.Kind);
        Assert.Equal(
            refusal,
            (await door.It.CheckAsync(caller, Permissions.ResourceRead, id, deletedToo: false))?.Kind
        );
    }

    [Theory]
    [InlineData(Admin, null), InlineData(Owner, null), InlineData(Reader, Refusal.Forbidden)]
    [InlineData(Stranger, Refusal.NotFound), InlineData(Nobody, Refusal.Forbidden)]
    public async Task Writes_need_the_permission_and_the_reach_and_change_nothing_without(string who, Refusal? refusal)
    {
        var id = await CreateAsync();
        ResourceCommand[] commands =
        [
            new PatchResource(PatchFormat.Merge, """{"name":"changed"}"""u8.ToArray()),
            new ReplaceResource(null, "replaced", "active", JsonText.Empty),
            new DeleteResource(),
            new RestoreResource(),
        ];
        foreach (var command in commands)
            Assert.Equal(refusal, (await door.It.ExecuteAsync(CallerOf(who), id, command, Attempt())).Rejection?.Kind);

        var now = await door.It.GetAsync(CallerOf(Admin), id);
        Assert.Equal(refusal is null ? 5 : 1, now.Version);
    }

    [Theory]
    [InlineData(Admin, null), InlineData(Owner, null), InlineData(Reader, Refusal.Forbidden)]
    [InlineData(Nobody, Refusal.Forbidden)]
    public async Task Creating_needs_the_permission(string who, Refusal? refusal)
    {
        var attempt = Attempt();
        var caller = CallerOf(who);

        var reply = await door.It.ExecuteAsync(caller, attempt.NewId(caller), Create(), attempt);

        Assert.Equal(refusal, reply.Rejection?.Kind);
    }

    [Theory]
    [InlineData(Admin, false, null, true), InlineData(Reader, false, null, true), InlineData(Owner, false, null, true)]
    [InlineData(Stranger, false, null, false), InlineData(Nobody, false, Refusal.Forbidden, false)]
    [InlineData(Admin, true, null, true), InlineData(Reader, true, Refusal.Forbidden, false)]
    public async Task Lists_and_counts_show_what_is_within_reach(string who, bool deleted, Refusal? refusal, bool shown)
    {
        var id = await CreateAsync();
        var selection = new ResourceSelection(Reach.All, IncludeDeleted: deleted);

        var list = await door.It.ListAsync(
            CallerOf(who),
            selection,
            ResourceSort.Newest,
            null,
            1_000,
            CountKind.Exact,
            null,
            Cancelled
        );

        Assert.Equal(refusal, list.Rejection?.Kind);
        Assert.Equal(shown, list.Value?.Rows.Any(row => row.Id == id) is true);
        if (deleted)
            return;
        var counted = await door.It.CountAsync(CallerOf(who), null, null, null, null, null, null, Cancelled);
        Assert.Equal(refusal, counted.Rejection?.Kind);
        Assert.Equal(list.Value?.Count ?? 0, counted.Value?.Total ?? 0);
    }

    [Theory]
    [InlineData(Admin, true), InlineData(Reader, true), InlineData(Owner, true)]
    [InlineData(Stranger, false), InlineData(Nobody, false)]
    public async Task Events_and_streams_show_what_is_within_reach(string who, bool shown)
    {
        var id = await CreateAsync();
        var head = await door.It.HeadAsync(Cancelled);
        var filter = new EventFilter(Reach.All, Resource: id);

        var page = await door.It.ReadAsync(CallerOf(who), filter, 0, 10, head, Cancelled);
        Assert.Equal(shown, page.Events.Count is 1);

        using var lease = door.It.Open(CallerOf(who));
        Assert.Equal(who is Nobody ? StreamEnd.PermissionLost : null, lease!.End);
        await foreach (var next in door.It.FollowAsync(lease, filter, head - 1, TimeSpan.FromSeconds(1), Cancelled))
            if (next.IsLive)
            {
                Assert.Equal(shown, next.Events.Any(logged => logged.Resource == id));
                break;
            }
    }

    [Fact]
    public async Task A_key_names_one_command_of_its_caller()
    {
        var attempt = Attempt() with { Key = "once", Fingerprint = "the request" };
        var (one, other) = (CallerOf(Owner), CallerOf(Stranger));

        var first = await door.It.ExecuteAsync(one, attempt.NewId(one), Create(), attempt);
        var again = await door.It.ExecuteAsync(one, attempt.NewId(one), Create(), attempt);
        var reused = await door.It.ExecuteAsync(
            one,
            attempt.NewId(one),
            Create(),
            attempt with
            {
                Fingerprint = "another request",
            }
        );

        Assert.Equal((false, true, 1), (first.Replayed, again.Replayed, again.Version));
        Assert.Equal(Refusal.KeyReused, reused.Rejection?.Kind);
        Assert.NotEqual(attempt.NewId(one), attempt.NewId(other));
    }

    [Fact]
    public async Task A_list_cannot_be_newer_than_the_log()
    {
        var ahead = await door.It.WaitAsync(await door.It.HeadAsync(Cancelled) + 1_000, Cancelled);

        Assert.Equal(Refusal.PositionAhead, ahead.Rejection?.Kind);
    }

    static CreateResource Create() => new("door", "at the door", "active", JsonText.Empty);

    static Attempt Attempt() => new(null, null, Conditions.None, null);

    async Task<Guid> CreateAsync()
    {
        var attempt = Attempt();
        var owner = CallerOf(Owner);
        var id = attempt.NewId(owner);
        Assert.Null((await door.It.ExecuteAsync(owner, id, Create(), attempt)).Rejection);
        return id;
    }

    Caller CallerOf(string who) =>
        new(DerivedId.Of("caller of tests", who), 1, Roles[who], null, door.Book)
        {
            Kind = CredentialKind.Token,
            Expires = DateTimeOffset.MaxValue,
        };

    /// <summary>A node, with its door.</summary>
    public sealed class Door(TestPostgres postgres) : IAsyncLifetime
    {
        readonly LogDatabase database = new(postgres);
        InProcessSilo node = null!;

        public ResourceDoor It => node.Service<ResourceDoor>();

        public AccessBook Book => node.Service<AccessBook>();

        public async ValueTask InitializeAsync()
        {
            await database.InitializeAsync();
            node = await InProcessSilo.StartAsync(database, "door");
        }

        public async ValueTask DisposeAsync()
        {
            await node.DisposeAsync();
            await database.DisposeAsync();
        }
    }
}
