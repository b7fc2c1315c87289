using Npgsql;

namespace Resources.Api.Tests;

/// <summary>What a node cannot know of access it does not allow.</summary>
[Trait("Conformance", "B9")]
public sealed class UnknownAccessTests(Backend backend)
{
    static readonly TimeSpan Plenty = TimeSpan.FromSeconds(20);

    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    /// <summary>As a node of the next release may write it.</summary>
    [Fact]
    public async Task Account_with_an_unknown_change_is_refused_and_others_are_served()
    {
        await using var node = await backend.StartServerAsync();
        var admin = await node.AdminAsync();
        var guest = new ApiClient(node.Address);
        await admin.PostAsync("/users", new { email = "one@example.org", password = "a password of enough length" });
        var person = await new ApiClient(node.Address).LoginAsync("one@example.org", "a password of enough length");
        var id = (await person.GetAsync("/api/v1/me")).Text("/data/id")!;

        await ExecuteAsync(
            node,
            """
            create or replace function changes_access(event_type text) returns boolean language sql immutable parallel safe
            return event_type = any ('{account.suspended,account.disabled,session.ended,role.changed}');
            """
        );
        await ExecuteAsync(
            node,
            $$"""
            insert into mt_events (seq_id, id, stream_id, version, data, type, timestamp, mt_dotnet_type, user_name)
            select nextval('mt_events_sequence'), gen_random_uuid(), '{{id}}', max(version) + 1, '{}', 'account.suspended', clock_timestamp(), 'unknown', 'somebody'
            from mt_events where stream_id = '{{id}}'
            """
        );

        await Eventually.HoldsAsync(async () => (await person.GetAsync("/api/v1/me")).Code is "ACCESS_UNKNOWN", Plenty);
        Assert.Equal(200, (await admin.GetAsync("/api/v1/me")).Status);
        var health = await admin.GetAsync("/health");
        Assert.Equal(("degraded", "stopped"), (health.Text("/status"), health.Text("/access/state")));
        Assert.Equal(200, (await guest.GetAsync("/health/ready")).Status);
    }

    [Fact]
    public async Task Node_that_cannot_see_the_log_refuses_credentials_and_is_not_ready()
    {
        await using var node = await backend.StartServerAsync();
        var admin = await node.AdminAsync();
        var guest = new ApiClient(node.Address);
        await ExecuteAsync(node, "alter function read_access rename to read_access_elsewhere");
        await admin.SendAsync("POST", "/api/v1/resources", """{"name":"so that there is news"}""");

        // A busy machine may make the node wait for something else before.
        await Eventually.HoldsAsync(
            async () =>
                await guest.GetAsync("/health/ready") is { Status: 503 } ready && ready.Text("/waiting/0") is "access",
            Plenty
        );
        Assert.Equal("ACCESS_UNKNOWN", (await admin.GetAsync("/api/v1/me")).Code);

        await ExecuteAsync(node, "alter function read_access_elsewhere rename to read_access");
        await Eventually.HoldsAsync(async () => (await admin.GetAsync("/api/v1/me")).Status is 200, Plenty);
        Assert.Equal(200, (await guest.GetAsync("/health/ready")).Status);
    }

    static async Task ExecuteAsync(InProcessServer node, string sql)
    {
        await using var database = NpgsqlDataSource.Create(node.ConnectionString);
        await using var command = database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Cancelled);
    }
}
