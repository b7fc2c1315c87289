using System.Text.Json;
using Npgsql;

[assembly: AssemblyFixture(typeof(Resources.Api.Tests.Backend))]

namespace Resources.Api.Tests;

/// <summary>One PostgreSQL and one server for all tests, with a client for each kind of caller.</summary>
public sealed class Backend : IAsyncLifetime
{
    const string UserEmail = "user@example.org";
    const string UserPassword = "a password of enough length";

    readonly TestPostgres postgres = new();
    NpgsqlDataSource database = null!;

    internal InProcessServer Server { get; private set; } = null!;

    /// <summary>A caller without a token.</summary>
    public ApiClient Guest { get; private set; } = null!;

    /// <summary>A caller who may only read.</summary>
    public ApiClient User { get; private set; } = null!;

    /// <summary>A caller who works with their own resources and sees no others.</summary>
    public ApiClient Author { get; private set; } = null!;

    /// <summary>A caller with every permission.</summary>
    public ApiClient Admin { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        await postgres.InitializeAsync();
        var connectionString = await postgres.CreateDatabaseAsync();
        database = NpgsqlDataSource.Create(connectionString);
        // The suite takes longer than a login is recent.
        Server = InProcessServer.Start(connectionString, ("Sessions:RecentMinutes", "1440"));
        await ApiDocument.LearnAsync(Server.Address);
        Guest = new(Server.Address);
        Admin = await Guest.LoginAsAdminAsync();
        await AddUserAsync(UserEmail, UserPassword, "user");
        User = await Guest.LoginAsync(UserEmail, UserPassword);
        await AddUserAsync("author@example.org", UserPassword, "author");
        Author = await Guest.LoginAsync("author@example.org", UserPassword);
    }

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        await database.DisposeAsync();
        await postgres.DisposeAsync();
    }

    /// <summary>Another server with a database of its own, for tests that need other options.</summary>
    internal async Task<InProcessServer> StartServerAsync(params (string Key, string Value)[] options) =>
        InProcessServer.Start(await postgres.CreateDatabaseAsync(), options);

    /// <summary>An empty database, for servers that a test starts itself.</summary>
    public Task<string> CreateDatabaseAsync() => postgres.CreateDatabaseAsync();

    public Task<Answer> AddUserAsync(string email, string password, string role) =>
        Admin.SendAsync(
            "POST",
            "/api/v1/users",
            $$"""{"email":"{{email}}","password":"{{password}}","roles":["{{role}}"]}"""
        );

    /// <summary>An account of its own for a test.</summary>
    internal Task<Person> CreatePersonAsync(params string[] roles) => Person.CreateAsync(Admin, Server.Address, roles);

    /// <summary>A role of its own for a test. Returns its name.</summary>
    public async Task<string> CreateRoleAsync(params string[] permissions)
    {
        var name = $"r{Guid.NewGuid():n}";
        var made = await Admin.SendAsync("POST", "/api/v1/roles", JsonSerializer.Serialize(new { name, permissions }));
        Assert.True(made.Status is 201, $"{made}");
        return name;
    }

    /// <summary>A resource of its own for a test, in the state asked for.</summary>
    public async Task<Sample> CreateAsync(
        Given given = Given.Live,
        string metadata = """{"color":"red","size":{"w":1,"h":2}}"""
    )
    {
        if (given is Given.Missing)
            return new(Guid.CreateVersion7());
        var created = await Admin.SendAsync(
            "POST",
            "/api/v1/resources",
            $$"""{"name":"sample","metadata":{{metadata}}}"""
        );
        Assert.Equal(201, created.Status);
        var sample = new Sample(Guid.Parse(created.Text("/data/id")!));
        if (given is Given.Changed)
            Assert.Equal(
                200,
                (
                    await Admin.SendAsync(
                        "PATCH",
                        sample.Path,
                        """{"name":"changed"}""",
                        "application/merge-patch+json"
                    )
                ).Status
            );
        if (given is Given.Deleted)
            Assert.Equal(204, (await Admin.SendAsync("DELETE", sample.Path)).Status);
        return sample;
    }

    /// <summary>The types of a stream's events, oldest first, straight from the store.</summary>
    public async Task<string[]> EventsAsync(Guid stream)
    {
        await using var command = database.CreateCommand(
            "select array(select type::text from mt_events where stream_id = $1 order by version)"
        );
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = stream });
        return (string[])(await command.ExecuteScalarAsync())!;
    }

    /// <summary>The positions of all events, of resources of a type or of all, in order.</summary>
    public async Task<long[]> PositionsAsync(string? type = null)
    {
        await using var command = database.CreateCommand(
            """
            select array(select e.seq_id from mt_events e join mt_events f on f.stream_id = e.stream_id and f.version = 1 where e.type like 'resource.%' and ($1::text is null or f.data ->> 'type' = $1) order by e.seq_id)
            """
        );
        command.Parameters.Add(
            new() { Value = (object?)type ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text }
        );
        return (long[])(await command.ExecuteScalarAsync())!;
    }

    /// <summary>How many events there are of all resources with this name.</summary>
    public async Task<long> CountCreatedAsync(string name)
    {
        await using var command = database.CreateCommand(
            "select count(*) from mt_events where type = 'resource.created' and data ->> 'name' = $1"
        );
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = name });
        return (long)(await command.ExecuteScalarAsync())!;
    }
}

/// <summary>The state of a sample before the tested request.</summary>
public enum Given
{
    Missing,
    Live,

    /// <summary>At version 2.</summary>
    Changed,

    /// <summary>At version 2.</summary>
    Deleted,
}

/// <summary>A resource that one test has for itself.</summary>
public sealed record Sample(Guid Id)
{
    public string Path => $"/api/v1/resources/{Id}";
}
