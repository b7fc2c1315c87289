using System.Text.Json;

namespace Resources.Api.Tests;

/// <summary>A kind of caller.</summary>
/// <param name="Account">Null for a guest.</param>
/// <param name="Role">Of the account.</param>
/// <param name="Permissions">What the caller may do, as the documents say it.</param>
sealed record Actor(string Name, ApiClient Caller, Guid? Account, string? Role, string[] Permissions, bool IsSession)
{
    public bool May(string permission) => Has("*") || Has(permission) || Has(permission + ":own");

    /// <summary>Whether a permission goes beyond the caller's own.</summary>
    public bool MayAll(string permission) => Has("*") || Has(permission);

    bool Has(string permission) => Permissions.Contains(permission);
}

/// <summary>
/// A server with an owner, a stranger with equal rights, callers with other rights, and API keys of theirs.
/// </summary>
public sealed class MatrixWorld(Backend backend) : IAsyncLifetime
{
    /// <summary>The permissions of roles, as in docs/ACCESS.md.</summary>
    static readonly Dictionary<string, string[]> Roles = new()
    {
        ["admin"] = ["*"],
        ["user"] = ["resource:read", "subscription:read:own", "subscription:manage:own"],
        ["author"] =
        [
            "resource:create",
            "resource:read:own",
            "resource:update:own",
            "resource:delete:own",
            "resource:read_deleted:own",
            "subscription:read:own",
            "subscription:manage:own",
        ],
        ["none"] = [],
        ["operator"] = ["subscription:read", "subscription:manage"],
    };

    readonly Dictionary<string, string> shared = [];

    internal InProcessServer Server { get; private set; } = null!;

    internal Person Owner { get; private set; } = null!;

    /// <summary>The owner's session.</summary>
    public ApiClient OwnerCaller => Actors.Single(actor => actor.Name is "owner").Caller;

    internal Actor Admin => Actors.Single(actor => actor.Name is "admin");

    internal List<Actor> Actors { get; } = [];

    internal Operation[] Operations { get; private set; } = [];

    /// <summary>Each row of the matrix with its operation.</summary>
    internal IEnumerable<(Row Row, Operation Operation)> Rows =>
        Row.All.Join(Operations, row => row.Operation, operation => operation.Id, (row, operation) => (row, operation));

    public async ValueTask InitializeAsync()
    {
        string[] raised = ["Login", "LoginPair", "LoginAccount", "Mfa", "Reset", "Streams"];
        Server = await backend.StartServerAsync([
            .. raised.Select(policy => ($"RateLimits:{policy}:Permits", "1000000")),
            ("Subscriptions:MaxPerOwner", "10000"),
        ]);
        var guest = Server.Guest();
        Operations = Operation.All((await guest.GetAsync("/openapi/v1.json")).At("")!.Value);
        var first = await guest.LoginAsAdminAsync();
        var made = await first.PostAsync("/roles", new { name = "operator", permissions = Roles["operator"] });
        Assert.True(made.Status is 201, $"{made}");
        Actors.Add(new("guest", guest, null, null, [], false));
        foreach (
            var (name, role, keys) in new (string, string, string[][])[]
            {
                (
                    "owner",
                    "author",
                    [Roles["author"], ["resource:read:own"], [], ["subscription:read:own", "subscription:manage:own"]]
                ),
                ("stranger", "author", [Roles["author"]]),
                (
                    "reader",
                    "user",
                    [
                        ["resource:read"],
                    ]
                ),
                ("nobody", "none", []),
                (
                    "admin",
                    "admin",
                    [
                        ["*"],
                        ["user:read", "audit:read"],
                        ["subscription:read", "subscription:manage"],
                    ]
                ),
                ("operator", "operator", []),
            }
        )
        {
            var (person, caller) = await EnterAsync(first, role);
            if (name is "owner")
                Owner = person;
            Actors.Add(new(name, caller, person.Id, role, Roles[role], true));
            foreach (var permissions in keys)
            {
                var key = await caller.PostAsync("/api-keys", new { name = "k", permissions });
                Assert.True(key.Status is 201, $"{key}");
                Actors.Add(
                    new(
                        $"key of {name} for [{string.Join(' ', permissions)}]",
                        guest.With(key.Text("/data/key")!),
                        person.Id,
                        role,
                        permissions,
                        false
                    )
                );
            }
        }
        var keyed = await first.SendAsync(
            "POST",
            "/api/v1/types",
            """{"name":"keyed","schema":{"type":"object","properties":{"code":{"type":"string"}}},"unique":{"code":{"members":["/metadata/code"]}}}"""
        );
        // Another world may be in the same database.
        Assert.True(keyed.Status is 201 or 409, $"{keyed}");
        string[] kinds =
        [
            Row.Resource,
            Row.Subscription,
            Row.User,
            Row.Session,
            Row.Key,
            Row.Role,
            Row.Type,
            Row.Keyed,
        ];
        foreach (var kind in kinds)
            shared[kind] = await MakeAsync(kind);
    }

    /// <summary>An account with a role, and a session of it.</summary>
    internal async Task<(Person Person, ApiClient Caller)> EnterAsync(ApiClient admin, string role)
    {
        var person = await Person.CreateAsync(admin, Server.Address, role is "none" ? [] : [role]);
        return (person, (await person.LoginAsync()).Caller);
    }

    /// <summary>The owner's item of a kind that all requests share that cannot change it.</summary>
    public string Shared(string? of) => of is null or Row.None ? Absent(of) : shared[of];

    /// <summary>The id of a missing item of a kind.</summary>
    public static string Absent(string? of) =>
        of is Row.Role or Row.Type ? "none"
        : of is Row.None or null ? "019a8d2e-7b1c-7f3e-8a55-0c6d2b9f4e11"
        : $"{Guid.CreateVersion7()}";

    /// <summary>Creates an item of a kind for the owner.</summary>
    public async Task<string> MakeAsync(string? of)
    {
        var name = $"r{Guid.NewGuid():n}";
        var made = of switch
        {
            Row.Resource => await OwnerCaller.SendAsync("POST", "/api/v1/resources", $$"""{"name":"{{name}}"}"""),
            Row.Subscription => await OwnerCaller.SendAsync(
                "POST",
                "/api/v1/subscriptions",
                $$$"""{"name":"{{{name}}}","delivery":{"kind":"pull"}}"""
            ),
            Row.Session => await (await Owner.LoginAsync()).Caller.GetAsync("/api/v1/me"),
            Row.Key => await OwnerCaller.SendAsync("POST", "/api/v1/api-keys", """{"name":"k","permissions":[]}"""),
            Row.User => await Admin.Caller.SendAsync(
                "POST",
                "/api/v1/users",
                $$"""{"email":"{{name}}@example.org","password":"nine pigs saw a grey kettle"}"""
            ),
            Row.Role => await Admin.Caller.SendAsync(
                "POST",
                "/api/v1/roles",
                $$"""{"name":"{{name}}","permissions":["resource:read"]}"""
            ),
            Row.Type => await Admin.Caller.SendAsync(
                "POST",
                "/api/v1/types",
                $$$"""{"name":"{{{name}}}","schema":{"type":"object"}}"""
            ),
            Row.Keyed => await OwnerCaller.SendAsync(
                "POST",
                "/api/v1/resources",
                $$$"""{"name":"{{{name}}}","type":"keyed","metadata":{"code":"{{{name}}}"} }"""
            ),
            _ => null,
        };
        if (made is null)
            return Absent(of);
        Assert.True(made.Status is 200 or 201, $"{of}: {made}");
        return of is Row.Role or Row.Type or Row.Keyed ? name
            : of is Row.Session ? made.Text("/data/session")!
            : made.Text("/data/id")!;
    }

    /// <summary>Sends a row's request.</summary>
    /// <param name="about">What it is about.</param>
    internal static Task<Answer> SendAsync(
        Row row,
        Operation operation,
        ApiClient caller,
        string about,
        string? body = null,
        string query = "",
        params (string, string)[] more
    )
    {
        (string, string)[] headers =
        [
            .. more,
            .. row.Headers.Where(header => more.All(other => other.Item1 != header.Item1)),
        ];
        return caller.SendAsync(
            operation.Method,
            PathOf(operation, about) + query,
            (body ?? row.Body)?.Replace("{new}", $"{Guid.NewGuid():n}", StringComparison.Ordinal),
            row.ContentType,
            headers
        );
    }

    internal static string PathOf(Operation operation, string about) =>
        System.Text.RegularExpressions.Regex.Replace(
            operation
                .Path.Replace("/types/{type}/resources", "/types/resource/resources", StringComparison.Ordinal)
                .Replace("/types/{type}/by/{rule}", "/types/keyed/by/code", StringComparison.Ordinal),
            @"\{\w+\}",
            about
        );

    public async ValueTask DisposeAsync() => await Server.DisposeAsync();
}
