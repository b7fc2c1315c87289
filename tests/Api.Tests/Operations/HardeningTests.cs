using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Npgsql;

namespace Resources.Api.Tests;

/// <summary>What is asked of a program that others operate: its accounts, keys, logs and rights.</summary>
[Collection(MoreNodes.Name)]
public sealed class HardeningTests(Backend backend)
{
    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A11_There_is_no_account_but_the_one_that_the_operator_named_and_its_password_is_set_once()
    {
        var database = await backend.CreateDatabaseAsync();
        var key = NewKey();
        await using (var node = new ApiNode(database, key))
        {
            var guest = new Caller(node.Address);
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
            var admin = await guest.LoginAsync(ApiNode.AdminEmail, ApiNode.AdminPassword);
            Assert.Equal(1, (await admin.GetAsync("/api/v1/users")).At("/data")!.Value.GetArrayLength());
        }
        await using var restarted = new ApiNode(
            database,
            key,
            ("Bootstrap:AdminEmail", "second@example.org"),
            ("Bootstrap:AdminPassword", "the second of all passwords")
        );
        var again = new Caller(restarted.Address);
        foreach (
            var (email, password) in new[]
            {
                ("second@example.org", "the second of all passwords"),
                (ApiNode.AdminEmail, "the second of all passwords"),
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
        await again.LoginAsync(ApiNode.AdminEmail, ApiNode.AdminPassword);
    }

    [Fact]
    public async Task C4_Whoever_reads_something_reads_the_members_that_are_described_and_no_others()
    {
        var document = (await backend.Guest.GetAsync("/openapi/v1.json")).At("")!.Value;
        var person = await Person.CreateAsync(backend.Admin, backend.Node.Address, "author");
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
    public async Task J1_Whatever_a_request_says_a_line_of_the_log_is_one_object()
    {
        using var program = await RunningProgram.StartAsync(
            await backend.CreateDatabaseAsync(),
            ("Logging__LogLevel__Default", "Debug"),
            ("Logging__LogLevel__Microsoft.AspNetCore.Hosting", "Information")
        );
        const string Forged = "forged\u001b[31m\u2028\u0085{\"LogLevel\":\"Critical\"}";
        var escaped = Uri.EscapeDataString("\r\n" + Forged);
        await program.SayAsync(
            $"GET /api/v1/{escaped}?{escaped}={escaped} HTTP/1.1\r\nHost: here\r\nUser-Agent: {new string('u', 20_000)}\r\nContent-Type: text/{Forged}\r\nConnection: close\r\n\r\n"
        );
        await program.SayAsync(
            $"GET /api/v1/resources HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {Forged}\r\ntraceparent: {Forged}\r\nX-Forwarded-For: {Forged}\r\nConnection: close\r\n\r\n"
        );
        var login = JsonSerializer.Serialize(
            new { email = $"a\r\n{Forged}@example.org", password = $"{Forged}\r\n{new string('p', 100)}" }
        );
        await program.SayAsync(
            $"POST /api/v1/auth/login HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\nContent-Length: {Encoding.UTF8.GetByteCount(login)}\r\nConnection: close\r\n\r\n{login}"
        );
        await program.SayAsync($"GET /api/v1/resources HTTP/1.1\r\nHost: {Forged}\r\n\r\n");
        await Eventually.HoldsAsync(
            () =>
                Task.FromResult(
                    program.Lines.Any(line =>
                        line.Contains("Request finished", StringComparison.Ordinal)
                        && line.Contains("/auth/login", StringComparison.Ordinal)
                    )
                ),
            TimeSpan.FromSeconds(20)
        );

        Assert.Contains(program.Lines, line => line.Contains("forged", StringComparison.Ordinal));
        foreach (var line in program.Lines)
        {
            using var entry = JsonDocument.Parse(line);
            Assert.NotEqual("Critical", entry.RootElement.GetProperty("LogLevel").GetString());
            Assert.DoesNotContain(line, character => char.IsControl(character) || character is '\u2028' or '\u2029');
        }
    }

    [Fact]
    public async Task J4_Who_is_deleted_is_forgotten_by_every_read_and_by_a_node_that_begins_anew()
    {
        var database = await backend.CreateDatabaseAsync();
        var key = NewKey();
        Person person;
        string? made;
        await using (var node = new ApiNode(database, key))
        {
            var admin = await new Caller(node.Address).LoginAsync(ApiNode.AdminEmail, ApiNode.AdminPassword);
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

        await using var anew = new ApiNode(database, key);
        var reader = await new Caller(anew.Address).LoginAsync(ApiNode.AdminEmail, ApiNode.AdminPassword);
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
    public async Task J6_Sessions_and_keys_outlive_a_restart_and_private_keys_are_in_no_table()
    {
        var database = await backend.CreateDatabaseAsync();
        var key = NewKey();
        string cookie,
            csrf,
            token,
            apiKey;
        await using (var node = new ApiNode(database, key))
        {
            var admin = await new Caller(node.Address).LoginAsync(ApiNode.AdminEmail, ApiNode.AdminPassword);
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
        await using var restarted = new ApiNode(database, key);
        var guest = new Caller(restarted.Address);
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
    public async Task J7_A_node_needs_no_more_of_PostgreSQL_than_to_read_and_write_its_tables()
    {
        var database = await backend.CreateDatabaseAsync();
        var key = NewKey();
        await using (new ApiNode(database, key)) { }
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

        await using var node = new ApiNode(limited, key, ("Schema:ApplyOnStart", "false"));
        var admin = await new Caller(node.Address).LoginAsync(ApiNode.AdminEmail, ApiNode.AdminPassword);
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
    public async Task J9_Production_serves_nothing_of_development()
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
            ApiNode.Secret,
            (
                await backend.Admin.GetAsync(ApiNode.FaultPath, ("Accept", "text/html, application/problem+json"))
            ).ToString(),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task J11_Mails_that_anybody_can_have_sent_are_limited_by_address_and_by_recipient()
    {
        await using var mailbox = new Mailbox();
        await using var node = await backend.StartNodeAsync(
            ("Mail:Host", "127.0.0.1"),
            ("Mail:Port", $"{mailbox.Port}"),
            ("Accounts:Registration", "open"),
            ("Proxies:Trusted:0", "127.0.0.0/8"),
            ("RateLimits:Reset:Permits", "3"),
            ("RateLimits:Reset:WindowSeconds", "3600")
        );
        var guest = new Caller(node.Address);
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
    static Task RebuiltAsync(Caller admin, Answer asked) =>
        Eventually.HoldsAsync(
            async () =>
                (await admin.GetAsync("/api/v1/admin/followers")).Text("/data/0/generation") is { } generation
                && generation != asked.Text("/data/generation"),
            TimeSpan.FromSeconds(20)
        );

    static (string, string) NewKey() =>
        ("Secrets:MasterKey", Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)));
}
