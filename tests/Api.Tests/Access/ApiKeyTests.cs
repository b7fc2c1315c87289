using System.Text.Json;

namespace Resources.Api.Tests;

/// <summary>API keys: their rights, secrecy and end.</summary>
public sealed class ApiKeyTests(Backend backend)
{
    async Task<string> KeyAsync(ApiClient caller, string[] permissions, DateTimeOffset? expiresAt = null)
    {
        var made = await caller.SendAsync(
            "POST",
            "/api/v1/api-keys",
            JsonSerializer.Serialize(
                new
                {
                    name = "test",
                    permissions,
                    expiresAt,
                }
            )
        );
        Assert.True(made.Status is 201, $"{made}");
        return made.Text("/data/key")!;
    }

    [Fact]
    [Trait("Conformance", "B17")]
    public async Task API_key_allows_only_its_permissions_and_no_session_operations()
    {
        var person = await backend.CreatePersonAsync("author");
        var session = await person.LoginAsync();
        var key = await KeyAsync(session.Caller, ["resource:read:own", "resource:create"]);
        var program = person.Guest.With(key);
        var made = await program.SendAsync("POST", "/api/v1/resources", """{"name":"by a key"}""");
        Assert.Equal((201, person.Id.ToString()), (made.Status, made.Text("/data/owner")));
        Assert.Equal(200, (await program.GetAsync($"/api/v1/resources/{made.Text("/data/id")}")).Status);
        Assert.Equal(403, (await program.SendAsync("DELETE", $"/api/v1/resources/{made.Text("/data/id")}")).Status);
        Assert.Equal("apiKey", (await program.GetAsync("/api/v1/me")).Text("/data/credential"));
        foreach (
            var (method, path, body) in new (string, string, string?)[]
            {
                ("POST", "/api/v1/api-keys", """{"name":"k","permissions":["resource:create"]}"""),
                ("GET", "/api/v1/api-keys", null),
                ("GET", "/api/v1/sessions", null),
                ("POST", "/api/v1/auth/logout", null),
                ("POST", "/api/v1/auth/password", """{"currentPassword":"x","newPassword":"fifteen letters"}"""),
                ("POST", "/api/v1/me/mfa/totp", null),
                ("POST", "/api/v1/me/passkeys/options", null),
                ("POST", "/api/v1/auth/step-up", """{"method":"password","code":"x"}"""),
            }
        )
            Assert.Equal((path, "SESSION_REQUIRED"), (path, (await program.SendAsync(method, path, body)).Code));
    }

    [Fact]
    [Trait("Conformance", "B17")]
    public async Task Account_has_at_most_100_keys_even_if_they_are_created_at_once_and_lists_all_of_them()
    {
        var session = (await (await backend.CreatePersonAsync("user")).LoginAsync()).Caller;
        var oldest = (
            await session.PostAsync("/api-keys", new { name = "oldest", permissions = Array.Empty<string>() })
        ).Text("/data/id");
        var made = await Task.WhenAll(
            Enumerable
                .Range(0, 110)
                .Select(_ => session.PostAsync("/api-keys", new { name = "k", permissions = Array.Empty<string>() }))
        );
        Assert.Equal(99, made.Count(answer => answer.Status is 201));
        Assert.All(made.Where(answer => answer.Status is not 201), answer =>
            Assert.Equal((409, "TOO_MANY_API_KEYS"), (answer.Status, answer.Code))
        );
        var first = await session.GetAsync("/api/v1/api-keys?limit=60");
        var second = await session.GetAsync($"/api/v1/api-keys?limit=60&cursor={first.Text("/meta/page/next")}");
        string[] listed =
        [
            .. new[] { first, second }.SelectMany(page =>
                page.At("/data")!.Value.EnumerateArray().Select(key => key.GetProperty("id").GetString()!)
            ),
        ];
        Assert.Equal((100, oldest, "null"), (listed.Distinct().Count(), listed[^1], second.Text("/meta/page/next")));
        Assert.Equal(204, (await session.SendAsync("DELETE", $"/api/v1/api-keys/{oldest}")).Status);
        Assert.Equal(
            201,
            (await session.PostAsync("/api-keys", new { name = "k", permissions = Array.Empty<string>() })).Status
        );
    }

    [Fact]
    [Trait("Conformance", "B17")]
    public async Task API_key_never_exceeds_the_current_rights_of_its_account()
    {
        var person = await backend.CreatePersonAsync("user");
        var session = await person.LoginAsync();
        Assert.Equal(
            "ABOVE_OWN_RIGHTS",
            (
                await session.Caller.SendAsync(
                    "POST",
                    "/api/v1/api-keys",
                    """{"name":"k","permissions":["resource:delete"]}"""
                )
            ).Code
        );
        var program = person.Guest.With(await KeyAsync(session.Caller, ["resource:read"]));
        Assert.Equal(200, (await program.GetAsync("/api/v1/resources")).Status);
        Assert.Equal(
            200,
            (await backend.Admin.SendAsync("PUT", $"/api/v1/users/{person.Id}/roles", """{"roles":[]}""")).Status
        );
        await Eventually.HoldsAsync(async () => (await program.GetAsync("/api/v1/resources")).Status is 403);
        await Eventually.HoldsAsync(async () => (await session.Caller.GetAsync("/api/v1/resources")).Status is 403);
        Assert.Equal(
            200,
            (await backend.Admin.SendAsync("PATCH", $"/api/v1/users/{person.Id}", """{"disabled":true}""")).Status
        );
        await Eventually.HoldsAsync(async () => (await program.GetAsync("/api/v1/me")).Status is 401);
    }

    [Fact]
    [Trait("Conformance", "B17")]
    public async Task API_key_is_shown_once_stored_as_a_hash_and_ends_on_revocation_or_expiry()
    {
        var person = await backend.CreatePersonAsync("user");
        var session = await person.LoginAsync();
        var key = await KeyAsync(session.Caller, ["resource:read"]);
        var program = person.Guest.With(key);
        Assert.Equal(200, (await program.GetAsync("/api/v1/resources")).Status);
        await Eventually.HoldsAsync(async () =>
            (await session.Caller.GetAsync("/api/v1/api-keys")).At("/data/0/usedAt")?.ValueKind is JsonValueKind.String
        );
        var list = await session.Caller.GetAsync("/api/v1/api-keys");
        Assert.Equal(key[..36], list.Text("/data/0/prefix"));
        Assert.DoesNotContain(key[37..], list.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(
            key[37..101],
            await Dump.OfAsync(backend.Server.ConnectionString),
            StringComparison.Ordinal
        );
        foreach (
            var wrong in new[]
            {
                key[..^1] + (key[^1] is '0' ? '1' : '0'),
                key[..40] + (key[40] is '0' ? '1' : '0') + key[41..],
                key + "0",
                key.ToUpperInvariant(),
                "rsk_",
            }
        )
            Assert.Equal(401, (await person.Guest.With(wrong).GetAsync("/api/v1/resources")).Status);

        var stranger = await (await backend.CreatePersonAsync("user")).LoginAsync();
        Assert.Equal(
            "API_KEY_NOT_FOUND",
            (await stranger.Caller.SendAsync("DELETE", $"/api/v1/api-keys/{list.Text("/data/0/id")}")).Code
        );
        await using var stream = await Subscriber.OpenAsync(backend.Server.Address, key, "/api/v1/events?after=now");
        Assert.Equal(
            204,
            (await session.Caller.SendAsync("DELETE", $"/api/v1/api-keys/{list.Text("/data/0/id")}")).Status
        );
        await stream.ToEndAsync();
        await Eventually.HoldsAsync(async () => (await program.GetAsync("/api/v1/resources")).Status is 401);

        var brief = person.Guest.With(
            await KeyAsync(session.Caller, ["resource:read"], DateTimeOffset.UtcNow.AddSeconds(2))
        );
        Assert.Equal(200, (await brief.GetAsync("/api/v1/resources")).Status);
        await Eventually.HoldsAsync(async () => (await brief.GetAsync("/api/v1/resources")).Status is 401);
        Assert.Equal(
            ["/permissions/0", "/expiresAt"],
            (
                await session.Caller.SendAsync(
                    "POST",
                    "/api/v1/api-keys",
                    """{"name":"k","permissions":["resource:fly"],"expiresAt":"2020-01-01T00:00:00Z"}"""
                )
            ).Faults
        );
    }
}
