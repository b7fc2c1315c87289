using System.Text.Json;

namespace Resources.Api.Tests;

/// <summary>The first administrator.</summary>
public sealed class BootstrapTests(Backend backend)
{
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
            ("Bootstrap:AdminPassword", "nine pigs saw a grey kettle")
        );
        var again = restarted.Guest();
        foreach (
            var (email, password) in new[]
            {
                ("second@example.org", "nine pigs saw a grey kettle"),
                (TestServer.AdminEmail, "nine pigs saw a grey kettle"),
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
}
