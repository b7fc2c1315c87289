using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Resources.Grains;

namespace Resources.Api.Tests;

/// <summary>The audit log.</summary>
[Trait("Conformance", "J3")]
public sealed class AuditTests(Backend backend)
{
    /// <summary>Endpoints that change nothing of note: they ask, begin, or say what was delivered to whom.</summary>
    static readonly string[] Unaudited =
    [
        "ackEvents",
        "beginPasskey",
        "beginPasskeyLogin",
        "checkType",
        "explainAccess",
        "forgotPassword",
        "nackEvents",
        "parkEvents",
        "pullEvents",
        "testSubscription",
    ];

    [Fact]
    public void Every_endpoint_that_changes_something_names_the_events_by_which_the_audit_tells_of_it()
    {
        var services = backend.Server.Services;
        var kinds = services.GetRequiredService<EventKinds>();
        var acts = services
            .GetRequiredService<EndpointDataSource>()
            .Endpoints.Where(endpoint =>
                endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods is { } methods
                && methods.Any(method => method is "POST" or "PUT" or "PATCH" or "DELETE")
            )
            .ToArray();
        Assert.NotEmpty(acts);
        Assert.All(acts, endpoint =>
        {
            var act = endpoint.Metadata.GetMetadata<AuditedAct>();
            Assert.True(act is not null, $"{endpoint} does not say how the audit tells of it.");
            Assert.All(act.Events, name => Assert.True(kinds.Contains(name), $"{endpoint}: {name}"));
        });
        Assert.Equal(
            Unaudited,
            acts.Where(endpoint => endpoint.Metadata.GetMetadata<AuditedAct>()!.Events is [])
                .Select(endpoint => endpoint.Metadata.GetMetadata<IEndpointNameMetadata>()!.EndpointName)
                .Order(StringComparer.Ordinal)
        );
    }

    [Fact]
    public async Task Every_act_on_a_security_object_is_an_entry_with_its_actor()
    {
        var person = await backend.CreatePersonAsync("admin");
        var caller = (await person.LoginAsync()).Caller;
        var name = $"r{Guid.NewGuid():n}";
        var other = await backend.CreatePersonAsync("user");
        string key = "",
            hook = "",
            kid = "";
        foreach (
            var (method, path, body, learn, entries) in new (string, Func<string>, object?, Action<Answer>?, string[])[]
            {
                (
                    "POST",
                    () => "/subscriptions",
                    new { name, delivery = new { kind = "webhook", url = "https://93.184.215.14/hook" } },
                    made => hook = made.Text("/data/id")!,
                    ["subscription.created"]
                ),
                ("POST", () => $"/subscriptions/{hook}/pause", null, null, ["subscription.paused"]),
                ("POST", () => $"/subscriptions/{hook}/resume", null, null, ["subscription.resumed"]),
                ("POST", () => $"/subscriptions/{hook}/secret", null, null, ["subscription.secret_rotated"]),
                (
                    "POST",
                    () => $"/subscriptions/{hook}/replay",
                    new { position = "0" },
                    null,
                    ["subscription.replayed"]
                ),
                ("DELETE", () => $"/subscriptions/{hook}", null, null, ["subscription.deleted"]),
                (
                    "POST",
                    () => "/api-keys",
                    new { name, permissions = new[] { "resource:read" } },
                    made => key = made.Text("/data/id")!,
                    ["api_key.created"]
                ),
                ("DELETE", () => $"/api-keys/{key}", null, null, ["api_key.revoked"]),
                ("POST", () => "/roles", new { name, permissions = Array.Empty<string>() }, null, ["role.created"]),
                ("PUT", () => $"/roles/{name}", new { permissions = new[] { "user:read" } }, null, ["role.changed"]),
                (
                    "PUT",
                    () => $"/users/{other.Id}/roles",
                    new { roles = new[] { name } },
                    null,
                    ["account.roles_changed"]
                ),
                ("DELETE", () => $"/roles/{name}", null, null, ["role.deleted"]),
                ("PATCH", () => $"/users/{other.Id}", new { disabled = true }, null, ["account.disabled"]),
                ("PATCH", () => $"/users/{other.Id}", new { disabled = false }, null, ["account.enabled"]),
                ("DELETE", () => $"/users/{other.Id}", null, null, ["account.deleted"]),
                (
                    "POST",
                    () => "/admin/signing-keys/rotate",
                    null,
                    made => kid = made.Text("/data/0/kid")!,
                    ["signing_key.rotated"]
                ),
                ("DELETE", () => $"/admin/signing-keys/{kid}", null, null, ["signing_key.withdrawn"]),
                ("POST", () => "/me/mfa/totp", null, null, ["account.totp_enrolled"]),
                ("DELETE", () => "/me/mfa/totp", null, null, ["account.totp_removed"]),
            }
        )
        {
            var done = await caller.SendAsync(
                method,
                "/api/v1" + path(),
                body is null ? null : System.Text.Json.JsonSerializer.Serialize(body)
            );
            Assert.True(done.Status is >= 200 and < 300, $"{method} {path()}: {done}");
            learn?.Invoke(done);
            var audit = await EntriesAsync($"actor={person.Id}&limit=20", "audit.read");
            Assert.Equal(
                (path(), string.Join(' ', entries)),
                (path(), string.Join(' ', audit.Take(entries.Length).Select(entry => entry.Type)))
            );
            Assert.All(audit, entry => Assert.NotNull(entry.Session));
        }
    }

    [Fact]
    public async Task Reading_the_audit_is_an_entry()
    {
        var person = await backend.CreatePersonAsync("admin");
        var caller = (await person.LoginAsync()).Caller;
        Assert.Equal(200, (await caller.GetAsync("/api/v1/audit?event=api_key.*&limit=1")).Status);
        var (type, _, query) = (await EntriesAsync($"actor={person.Id}"))[0];
        Assert.Equal(("audit.read", "?event=api_key.*&limit=1"), (type, query));
    }

    [Fact]
    public async Task Refusals_are_entries_of_which_a_minute_has_no_more_than_a_number_by_caller()
    {
        await using var node = await backend.StartServerAsync(("Audit:RefusalsPerCaller", "2"));
        var admin = await node.AdminAsync();
        var person = await Person.CreateAsync(admin, node.Address, "user");
        var caller = (await person.LoginAsync()).Caller;
        // At the beginning of a minute, so that none ends meanwhile; tokens from before are good.
        node.Clock.Ahead = TimeSpan.FromSeconds(60 - DateTimeOffset.UtcNow.Second);
        var made = await caller.PostAsync("/api-keys", new { name = "k", permissions = new[] { "resource:read" } });
        Assert.Equal(204, (await caller.SendAsync("DELETE", $"/api/v1/api-keys/{made.Text("/data/id")}")).Status);
        var over = caller.With(made.Text("/data/key")!);
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal(403, (await caller.GetAsync("/api/v1/users")).Status);
            Assert.Equal(401, (await over.GetAsync("/api/v1/me")).Status);
        }
        // Anybody can make these up: they are counted only.
        Assert.Equal(401, (await caller.With("rsk_made-up").GetAsync("/api/v1/me")).Status);

        await Eventually.HoldsAsync(async () =>
            (await AuditAsync("event=access.refused")).Length is 2
            && (await AuditAsync("event=access.key_refused")).Length is 2
        );
        var refused = (await AuditAsync("event=access.refused"))[0];
        var data = refused.GetProperty("data");
        Assert.Equal(
            (person.Id.ToString(), "GET", "/api/v1/users", "FORBIDDEN"),
            (
                refused.GetProperty("actor").GetString(),
                data.GetProperty("method").GetString(),
                data.GetProperty("path").GetString(),
                data.GetProperty("code").GetString()
            )
        );
        var wrong = (await AuditAsync("event=access.key_refused"))[0];
        Assert.Equal(
            ("guest", made.Text("/data/id")),
            (wrong.GetProperty("actor").GetString(), wrong.GetProperty("data").GetProperty("apiKey").GetString())
        );
        Assert.DoesNotContain(made.Text("/data/key")![37..], $"{wrong}", StringComparison.Ordinal);

        node.Clock.Ahead += TimeSpan.FromMinutes(1);
        await Eventually.HoldsAsync(async () => (await AuditAsync("event=access.refusals_left_out")).Length is 1);
        Assert.Equal(
            7,
            (await AuditAsync("event=access.refusals_left_out"))[0].GetProperty("data").GetProperty("count").GetInt32()
        );

        async Task<System.Text.Json.JsonElement[]> AuditAsync(string query) =>
            SubscriptionBackend.Rows(await admin.GetAsync("/api/v1/audit?" + query));
    }

    async Task<(string Type, string? Session, string? Query)[]> EntriesAsync(string query, string? without = null) =>
        [
            .. SubscriptionBackend
                .Rows(await backend.Admin.GetAsync("/api/v1/audit?" + query))
                .Select(entry =>
                    (
                        entry.GetProperty("type").GetString()!,
                        entry.GetProperty("session").GetString(),
                        entry.GetProperty("data").TryGetProperty("query", out var asked) ? asked.GetString() : null
                    )
                )
                .Where(entry => entry.Item1 != without),
        ];

    [Fact]
    public async Task Audit_records_actor_action_address_and_session()
    {
        var person = await backend.CreatePersonAsync("author");
        Assert.Equal(401, (await person.TryAsync("not the password at all")).Status);
        await Eventually.HoldsAsync(async () =>
            (await backend.EventsAsync(person.Id)).Contains("account.login_failed")
        );
        var caller = (await person.LoginAsync()).Caller;
        var session = (await caller.GetAsync("/api/v1/me")).Text("/data/session");
        var made = await caller.SendAsync("POST", "/api/v1/resources", """{"name":"audited"}""");
        var audit = await backend.Admin.GetAsync($"/api/v1/audit?actor={person.Id}");
        Assert.Equal(
            ["resource.created", "session.started", "account.login_failed"],
            audit.At("/data")!.Value.EnumerateArray().Select(entry => entry.GetProperty("type").GetString())
        );
        Assert.Equal(
            (made.Text("/data/id"), session, "127.0.0.1"),
            (
                audit.Text("/data/0/subject"),
                audit.Text("/data/0/session"),
                audit.Text("/data/0/address")?.Replace("::ffff:", "", StringComparison.Ordinal)
            )
        );
        Assert.Equal(session, audit.Text("/data/1/session"));
        Assert.Equal("password", audit.Text("/data/2/data/factor"));

        Assert.Equal(
            2,
            (await backend.Admin.GetAsync($"/api/v1/audit?session={session}")).At("/data")!.Value.GetArrayLength()
        );
        Assert.Equal(
            "account.registered",
            (await backend.Admin.GetAsync($"/api/v1/audit?subject={person.Id}&event=account.*&limit=10"))
                .At("/data")!
                .Value.EnumerateArray()
                .Last()
                .GetProperty("type")
                .GetString()
        );
        var page = await backend.Admin.GetAsync($"/api/v1/audit?actor={person.Id}&limit=1");
        Assert.Equal(
            "session.started",
            (
                await backend.Admin.GetAsync(
                    $"/api/v1/audit?actor={person.Id}&limit=1&cursor={page.Text("/meta/page/next")}"
                )
            ).Text("/data/0/type")
        );
        Assert.Equal(403, (await caller.GetAsync("/api/v1/audit")).Status);
        Assert.Equal(
            ["?cursor", "?event", "?subject", "?session", "?since"],
            (
                await backend.Admin.GetAsync("/api/v1/audit?cursor=x&event=king.*&subject=1&session=2&since=yesterday")
            ).Faults
        );
    }
}
