using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Npgsql;

namespace Resources.Api.Tests;

/// <summary>What is asked of a program that others operate: its accounts, keys, logs and rights.</summary>
[Collection(MoreServers.Name)]
public sealed class HardeningTests(Backend backend)
{
    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    [Trait("Conformance", "A11")]
    public async Task Only_the_configured_account_exists_and_its_password_is_set_once()
    {
        var database = await backend.CreateDatabaseAsync();
        await using (var node = InProcessServer.Start(database))
        {
            var guest = node.Guest();
            foreach (
                var name in new[]
                {
                    "admin",
                    "root",
                    "administrator",
                    "admin@localhost",
                    "admin@example.com",
                    "postgres",
                    "test",
                    "user",
                    "guest",
                }
            )
            foreach (var password in new[] { name, "admin", "password", "changeme", "" })
                Assert.Contains(
                    (
                        await guest.SendAsync(
                            "POST",
                            "/api/v1/auth/login",
                            JsonSerializer.Serialize(new { email = name, password })
                        )
                    ).Status,
                    new[] { 400, 401 }
                );
            var admin = await guest.LoginAsAdminAsync();
            Assert.Equal(1, (await admin.GetAsync("/api/v1/users")).At("/data")!.Value.GetArrayLength());
        }
        await using var restarted = InProcessServer.Start(
            database,
            ("Bootstrap:AdminEmail", "second@example.org"),
            ("Bootstrap:AdminPassword", "the second of all passwords")
        );
        var again = restarted.Guest();
        foreach (
            var (email, password) in new[]
            {
                ("second@example.org", "the second of all passwords"),
                (TestServer.AdminEmail, "the second of all passwords"),
            }
        )
            Assert.Equal(
                401,
                (
                    await again.SendAsync(
                        "POST",
                        "/api/v1/auth/login",
                        JsonSerializer.Serialize(new { email, password })
                    )
                ).Status
            );
        await again.LoginAsAdminAsync();
    }

    [Fact]
    [Trait("Conformance", "C4")]
    public async Task Responses_have_exactly_the_described_members()
    {
        var document = (await backend.Guest.GetAsync("/openapi/v1.json")).At("")!.Value;
        var person = await Person.CreateAsync(backend.Admin, backend.Server.Address, "author");
        var owner = (await person.LoginAsync()).Caller;
        var made = await owner.SendAsync("POST", "/api/v1/resources", """{"name":"seen","metadata":{"a":1}}""");
        foreach (
            var (path, described, callers) in new[]
            {
                (made["Location"]!, "/api/v1/resources/{id}", new[] { owner, backend.User, backend.Admin }),
                ($"/api/v1/users/{person.Id}", "/api/v1/users/{id}", [backend.Admin]),
                ("/api/v1/me", "/api/v1/me", [owner, backend.User, backend.Admin]),
            }
        )
        {
            var schema = Resolve(
                document,
                Resolve(
                        document,
                        document
                            .GetProperty("paths")
                            .GetProperty(described)
                            .GetProperty("get")
                            .GetProperty("responses")
                            .GetProperty("200")
                            .GetProperty("content")
                            .GetProperty("application/json")
                            .GetProperty("schema")
                    )
                    .GetProperty("properties")
                    .GetProperty("data")
            );
            var members = schema
                .GetProperty("properties")
                .EnumerateObject()
                .Select(member => member.Name)
                .Order(StringComparer.Ordinal)
                .ToArray();
            foreach (var caller in callers)
            {
                var answer = await caller.GetAsync(path);
                Assert.Equal(200, answer.Status);
                Assert.Equal(
                    members,
                    answer
                        .At("/data")!
                        .Value.EnumerateObject()
                        .Select(member => member.Name)
                        .Order(StringComparer.Ordinal)
                );
            }
        }
    }

    static JsonElement Resolve(JsonElement document, JsonElement schema) =>
        schema.TryGetProperty("$ref", out var reference)
            ? reference.GetString()!.Split('/').Skip(1).Aggregate(document, (at, step) => at.GetProperty(step))
            : schema;

    [Fact]
    [Trait("Conformance", "J1")]
    public async Task Every_log_line_is_one_JSON_object_whatever_a_request_contains()
    {
        await using var program = await ServerProcess.StartReadyAsync(
            await backend.CreateDatabaseAsync(),
            $"{Guid.NewGuid():n}",
            ("Logging:LogLevel:Default", "Debug"),
            ("Logging:LogLevel:Microsoft.AspNetCore.Hosting", "Information")
        );
        const string Forged = "forged\u001b[31m\u2028\u0085{\"LogLevel\":\"Critical\"}";
        var escaped = Uri.EscapeDataString("\r\n" + Forged);
        await SayAsync(
            program,
            $"GET /api/v1/{escaped}?{escaped}={escaped} HTTP/1.1\r\nHost: here\r\nUser-Agent: {new string('u', 20_000)}\r\nContent-Type: text/{Forged}\r\nConnection: close\r\n\r\n"
        );
        await SayAsync(
            program,
            $"GET /api/v1/resources HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {Forged}\r\ntraceparent: {Forged}\r\nX-Forwarded-For: {Forged}\r\nConnection: close\r\n\r\n"
        );
        var login = JsonSerializer.Serialize(
            new { email = $"a\r\n{Forged}@example.org", password = $"{Forged}\r\n{new string('p', 100)}" }
        );
        await SayAsync(
            program,
            $"POST /api/v1/auth/login HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\nContent-Length: {Encoding.UTF8.GetByteCount(login)}\r\nConnection: close\r\n\r\n{login}"
        );
        await SayAsync(program, $"GET /api/v1/resources HTTP/1.1\r\nHost: {Forged}\r\n\r\n");
        await Eventually.HoldsAsync(
            () =>
                program.Lines.Any(line =>
                    line.Contains("Request finished", StringComparison.Ordinal)
                    && line.Contains("/auth/login", StringComparison.Ordinal)
                ),
            TimeSpan.FromSeconds(20)
        );

        Assert.Contains(program.Lines, line => line.Contains("Resources listens at", StringComparison.Ordinal));
        Assert.Contains(program.Lines, line => line.Contains("forged", StringComparison.Ordinal));
        foreach (var line in program.Lines)
        {
            using var entry = JsonDocument.Parse(line);
            Assert.NotEqual("Critical", entry.RootElement.GetProperty("LogLevel").GetString());
            Assert.DoesNotContain(line, character => char.IsControl(character) || character is '\u2028' or '\u2029');
        }
    }

    /// <summary>Sends bytes as they are and waits for the end of the answer.</summary>
    static async Task SayAsync(ServerProcess program, string request)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(program.Address.Host, program.Address.Port, Cancelled);
        await client.GetStream().WriteAsync(Encoding.UTF8.GetBytes(request), Cancelled);
        await client.GetStream().CopyToAsync(Stream.Null, Cancelled);
    }

    [Fact]
    [Trait("Conformance", "J4")]
    public async Task Deleted_account_is_erased_from_all_reads_and_after_restart()
    {
        var database = await backend.CreateDatabaseAsync();
        Person person;
        string? made;
        await using (var node = InProcessServer.Start(database))
        {
            var admin = await node.AdminAsync();
            person = await Person.CreateAsync(admin, node.Address, "author");
            var owner = (await person.LoginAsync()).Caller;
            made = (await owner.SendAsync("POST", "/api/v1/resources", """{"name":"left behind"}"""))["Location"];
            await Person.EnrollAsync(owner);
            Assert.Contains(person.Email, (await admin.GetAsync("/api/v1/users")).ToString(), StringComparison.Ordinal);
            Assert.Equal(204, (await admin.SendAsync("DELETE", $"/api/v1/users/{person.Id}")).Status);
        }
        await using var source = NpgsqlDataSource.Create(database);
        await using var left = source.CreateCommand(
            "select (select count(*) from vault where subject = $1) + (select count(*) from account_emails where account = $1)"
        );
        left.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = person.Id });
        Assert.Equal(0L, await left.ExecuteScalarAsync(Cancelled));
        // Whatever a node keeps beside the log is made again from it.
        await using (var forget = source.CreateCommand("truncate stream_snapshots"))
            await forget.ExecuteNonQueryAsync(Cancelled);

        await using var anew = InProcessServer.Start(database);
        var reader = await anew.AdminAsync();
        var asked = await reader.SendAsync("POST", "/api/v1/admin/followers/resource_views/rebuild");
        Assert.Equal(202, asked.Status);
        await RebuiltAsync(reader, asked);
        Assert.Equal(404, (await reader.GetAsync($"/api/v1/users/{person.Id}")).Status);
        foreach (
            var path in new[]
            {
                "/api/v1/users",
                $"/api/v1/audit?subject={person.Id}",
                $"/api/v1/audit?actor={person.Id}",
                "/api/v1/events",
                made!,
                made + "/events",
            }
        )
        {
            var answer = await reader.GetAsync(path);
            Assert.Equal(200, answer.Status);
            Assert.DoesNotContain(person.Email, answer.ToString(), StringComparison.OrdinalIgnoreCase);
        }
        Assert.DoesNotContain(person.Email, await Dump.OfAsync(database), StringComparison.OrdinalIgnoreCase);
        Assert.Equal(401, (await new Person(anew.Address, person.Email, person.Id).TryAsync()).Status);
    }

    [Fact]
    [Trait("Conformance", "J6")]
    public async Task Sessions_and_keys_survive_a_restart_and_private_keys_are_stored_encrypted()
    {
        var database = await backend.CreateDatabaseAsync();
        string cookie,
            csrf,
            token,
            apiKey;
        await using (var node = InProcessServer.Start(database))
        {
            var admin = await node.AdminAsync();
            var person = await Person.CreateAsync(admin, node.Address, "author");
            (cookie, csrf, _) = await person.LoginByCookieAsync();
            var session = (await person.LoginAsync()).Caller;
            token = session.Token!;
            apiKey = (
                await session.SendAsync(
                    "POST",
                    "/api/v1/api-keys",
                    """{"name":"k","permissions":["resource:create"]}"""
                )
            ).Text("/data/key")!;
        }
        await using var restarted = InProcessServer.Start(database);
        var guest = restarted.Guest();
        (string, string)[] browser =
        [
            ("Cookie", cookie),
            ("X-CSRF-Token", csrf),
            ("Origin", restarted.Address.GetLeftPart(UriPartial.Authority)),
        ];
        Assert.Equal(
            201,
            (await guest.SendAsync("POST", "/api/v1/resources", """{"name":"by cookie"}""", headers: browser)).Status
        );
        foreach (var credential in new[] { token, apiKey })
            Assert.Equal(
                201,
                (
                    await guest.With(credential).SendAsync("POST", "/api/v1/resources", """{"name":"by credential"}""")
                ).Status
            );

        // A key of P-256 as PKCS #8 begins so; and so do its other forms as text.
        var dump = await Dump.OfAsync(database);
        foreach (
            var form in new[]
            {
                "308187020100301306072a8648ce3d0201",
                "MIGHAgEAMBMGByqGSM49AgEG",
                "PRIVATE KEY",
                "\"d\":",
            }
        )
            Assert.DoesNotContain(form, dump, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>What docs/OPERATIONS.md grants.</summary>
    [Fact]
    [Trait("Conformance", "J7")]
    public async Task Server_needs_only_read_and_write_rights_on_its_tables()
    {
        var database = await backend.CreateDatabaseAsync();
        await using (InProcessServer.Start(database)) { }
        var role = $"app_{Guid.NewGuid():n}";
        var password = Guid.NewGuid().ToString("n");
        await using (var source = NpgsqlDataSource.Create(database))
        await using (
            var grant = source.CreateCommand(
                $"""
                create role {role} login nosuperuser nocreatedb nocreaterole password '{password}';
                revoke create on schema public from public;
                grant select, insert, update, delete on all tables in schema public to {role};
                grant usage, select on all sequences in schema public to {role};
                grant execute on all functions in schema public to {role};
                alter default privileges in schema public grant select, insert, update, delete on tables to {role};
                """
            )
        )
            await grant.ExecuteNonQueryAsync(Cancelled);
        var limited = new NpgsqlConnectionStringBuilder(database)
        {
            Username = role,
            Password = password,
        }.ConnectionString;
        await using (var source = NpgsqlDataSource.Create(limited))
        await using (var create = source.CreateCommand("create table anything (id int)"))
            Assert.Equal(
                PostgresErrorCodes.InsufficientPrivilege,
                (await Assert.ThrowsAsync<PostgresException>(() => create.ExecuteNonQueryAsync(Cancelled))).SqlState
            );

        await using var node = InProcessServer.Start(limited, ("Schema:ApplyOnStart", "false"));
        var admin = await node.AdminAsync();
        var made = await admin.SendAsync("POST", "/api/v1/resources", """{"name":"with few rights"}""");
        Assert.Equal(201, made.Status);
        Assert.Equal(
            200,
            (
                await admin.SendAsync(
                    "PATCH",
                    made["Location"]!,
                    """{"name":"with few rights still"}""",
                    "application/merge-patch+json"
                )
            ).Status
        );
        foreach (
            var path in new[]
            {
                made["Location"]!,
                "/api/v1/resources",
                "/api/v1/resources?q=rights",
                "/api/v1/statistics",
                "/api/v1/events",
                "/api/v1/users",
                "/api/v1/audit",
                "/api/v1/admin/followers",
            }
        )
        {
            var answer = await admin.GetAsync(path);
            Assert.True(answer.Status is 200, $"{path}: {answer} {string.Join('\n', node.Errors)}");
        }
        Assert.Equal(
            201,
            (
                await admin.SendAsync("POST", "/api/v1/subscriptions", """{"name":"s","delivery":{"kind":"pull"}}""")
            ).Status
        );
        await Eventually.HoldsAsync(async () => (await admin.GetAsync("/health")).Text("/status") is "ok");

        // A rebuild makes tables, with the rights of who owns the others.
        var asked = await admin.SendAsync("POST", "/api/v1/admin/followers/resource_views/rebuild");
        Assert.Equal(202, asked.Status);
        await RebuiltAsync(admin, asked);
        Assert.Equal(1, (await admin.GetAsync("/api/v1/resources?q=rights")).At("/data")!.Value.GetArrayLength());
        Assert.DoesNotContain(node.Errors, error =>
            error.Contains(PostgresErrorCodes.InsufficientPrivilege, StringComparison.Ordinal)
        );
    }

    [Fact]
    [Trait("Conformance", "J9")]
    public async Task Production_serves_no_development_routes()
    {
        foreach (
            var path in new[]
            {
                "/graphiql",
                "/graphql/ui",
                "/swagger",
                "/swagger/index.html",
                "/debug",
                "/outbox",
                "/admin-password",
                "/master-key",
                "/appsettings.json",
                "/.data",
                "/.env",
                "/.git/config",
                "/api/v1/test",
                "/test",
                "/error",
                "/_framework/aspnetcore-browser-refresh.js",
            }
        )
        {
            Assert.Equal(401, (await backend.Guest.GetAsync(path)).Status);
            Assert.Equal(
                (404, "NOT_FOUND"),
                (await backend.Admin.GetAsync(path)) is var answer ? (answer.Status, answer.Code) : default
            );
        }
        // Neither is there a page for faults: what a fault says stays in the log.
        Assert.DoesNotContain(
            InProcessServer.FaultSecret,
            (
                await backend.Admin.GetAsync(
                    InProcessServer.FaultPath,
                    ("Accept", "text/html, application/problem+json")
                )
            ).ToString(),
            StringComparison.Ordinal
        );
    }

    [Fact]
    [Trait("Conformance", "J11")]
    public async Task Mails_triggered_by_guests_are_limited_by_address_and_recipient()
    {
        await using var mailbox = new Mailbox();
        await using var node = await backend.StartServerAsync(
            ("Mail:Host", "127.0.0.1"),
            ("Mail:Port", $"{mailbox.Port}"),
            ("Accounts:Registration", "open"),
            ("Proxies:Trusted:0", "127.0.0.0/8"),
            ("RateLimits:Reset:Permits", "3"),
            ("RateLimits:Reset:WindowSeconds", "3600")
        );
        var guest = node.Guest();
        Task<Answer> AskAsync(string email, string from) =>
            guest.SendAsync(
                "POST",
                "/api/v1/auth/register",
                JsonSerializer.Serialize(new { email, password = "nine pigs saw a grey kettle" }),
                headers: ("X-Forwarded-For", from)
            );

        // One recipient, from everywhere.
        for (var i = 0; i < 3; i++)
            Assert.Equal(202, (await AskAsync("victim@example.org", $"198.51.100.{i}")).Status);
        Assert.Equal(429, (await AskAsync("victim@example.org", "198.51.100.9")).Status);
        // Many recipients, from one place.
        for (var i = 0; i < 3; i++)
            Assert.Equal(202, (await AskAsync($"someone{i}@example.org", "203.0.113.1")).Status);
        Assert.Equal(429, (await AskAsync("someone9@example.org", "203.0.113.1")).Status);

        await AskAsync("last@example.org", "203.0.113.2");
        await mailbox.MailToAsync("last@example.org");
        // Mails go out in order: when the last is there, all are.
        Assert.Equal(6, mailbox.Count);
    }

    /// <summary>Waits until another generation of the read model answers than when a rebuild was asked for.</summary>
    static Task RebuiltAsync(ApiClient admin, Answer asked) =>
        Eventually.HoldsAsync(
            async () =>
                (await admin.GetAsync("/api/v1/admin/followers")).Text("/data/0/generation") is { } generation
                && generation != asked.Text("/data/generation"),
            TimeSpan.FromSeconds(20)
        );
}
