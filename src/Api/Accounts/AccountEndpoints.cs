using System.Security.Claims;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Api;

/// <summary>An access token, as login answers it.</summary>
/// <param name="ExpiresIn">Seconds until it expires.</param>
public sealed record TokenDocument(string AccessToken, string TokenType, int ExpiresIn);

/// <summary>The caller.</summary>
public sealed record MeDocument(Guid Id, string Email, string[] Roles);

/// <summary>An account.</summary>
public sealed record UserDocument(Guid Id, string Email, string[] Roles, DateTimeOffset CreatedAt);

/// <summary>What login takes.</summary>
public sealed record LoginRequest(string Email, string Password);

/// <summary>The roles that an account is to have; those that it has and that are not here, it loses.</summary>
public sealed record RolesRequest(string[] Roles);

/// <summary>What creating an account takes.</summary>
public sealed record UserRequest(string Email, string Password, string[]? Roles = null);

/// <summary>Login, the caller, and the accounts for those who may manage them.</summary>
public static class AccountEndpoints
{
    const int MaxEmailLength = 254;
    const int MaxPage = 200;

    public static void MapAccounts(this RouteGroupBuilder api)
    {
        api.MapPost("/auth/login", LoginAsync).AllowAnonymous().LimitBy(RateLimits.Login).WithName("login").WithTags("auth").WithSummary("Exchange e-mail and password for an access token")
            .TakesBody<LoginRequest>().Answers<Envelope<TokenDocument>>(200).Refuses(401, 413, 415);
        api.MapRead("/me", Me).RequireAuthorization().WithName("me").WithTags("auth").WithSummary("The caller").Answers<Envelope<MeDocument>>(200);
        var users = api.MapGroup("/users").WithTags("users");
        users.MapRead("", ListAsync).Require(Permissions.UserRead).WithName("listUsers").WithSummary("Accounts, by id").TakesQuery("cursor", "limit")
            .Answers<Envelope<IReadOnlyList<UserDocument>>>(200);
        users.MapPost("", CreateAsync).Require(Permissions.UserCreate).WithName("createUser").WithSummary("Create an account")
            .TakesBody<UserRequest>().Answers<Envelope<UserDocument>>(201).Refuses(409, 413, 415);
        users.MapPut("/{id}/roles", SetRolesAsync).Require(Permissions.UserUpdate).WithName("setUserRoles").WithSummary("Give an account other roles: new tokens have them, open streams lose those that are gone")
            .TakesBody<RolesRequest>().Answers<Envelope<UserDocument>>(200).Refuses(404, 413, 415);
    }

    static async Task LoginAsync(HttpContext context, IClusterClient cluster, Passwords passwords, Tokens tokens)
    {
        var faults = new List<Fault>();
        using var body = await RequestBody.ReadAsync(context, faults, "application/json");
        if (body is null) { await RequestBody.RefuseMediaTypeAsync(context, "application/json"); return; }
        var (email, password) = ("", "");
        if (body.Document is { } document)
        {
            var reader = new ObjectReader(document.RootElement, faults);
            (email, password) = (reader.Text("email", 1, MaxEmailLength), reader.Text("password", 1, Passwords.MaxLength));
            reader.RefuseOthers();
        }
        if (faults is not []) { await Problems.InvalidAsync(context, faults); return; }
        var account = await ClusterCalls.SendAsync(_ => cluster.GetGrain<IAccountGrain>(Account.IdOf(email!)).Find());
        if (!passwords.Verify(account, password!)) { await Problems.WriteAsync(context, ProblemType.InvalidCredentials, "E-mail or password is wrong."); return; }
        context.Response.Headers.CacheControl = "no-store";
        await Answers.OkAsync(context, tokens.Issue(account!), WireJson.Default.EnvelopeTokenDocument);
    }

    static Task Me(HttpContext context)
    {
        var caller = context.User;
        return Answers.OkAsync(context, new MeDocument(Guid.Parse(context.CallerId()), caller.FindFirstValue("email") ?? "", [.. caller.FindAll(Access.RoleClaim).Select(claim => claim.Value)]),
            WireJson.Default.EnvelopeMeDocument);
    }

    static async Task ListAsync(HttpContext context, AccountQueries accounts)
    {
        var query = new QueryReader(context.Request);
        var (limit, after) = (query.Limit(20, MaxPage), query.Id("cursor") ?? Guid.Empty);
        if (query.Faults is not []) { await Problems.InvalidAsync(context, query.Faults); return; }
        var rows = await accounts.PageAsync(after, limit + 1, context.RequestAborted);
        var next = rows.Count > limit ? rows[limit - 1].Id.ToString() : null;
        IReadOnlyList<UserDocument> users = [.. rows.Take(limit).Select(row => new UserDocument(row.Id, row.Email, row.Roles, row.CreatedAt))];
        await Answers.OkAsync(context, users, WireJson.Default.EnvelopeIReadOnlyListUserDocument, page: new(limit, next));
    }

    static async Task CreateAsync(HttpContext context, IClusterClient cluster, Passwords passwords)
    {
        var faults = new List<Fault>();
        using var body = await RequestBody.ReadAsync(context, faults, "application/json");
        if (body is null) { await RequestBody.RefuseMediaTypeAsync(context, "application/json"); return; }
        var (email, password, roles) = ((string?)"", (string?)"", (string[]?)null);
        if (body.Document is { } document)
        {
            var reader = new ObjectReader(document.RootElement, faults);
            (email, password, roles) = (reader.Text("email", 3, MaxEmailLength), reader.Text("password", Passwords.MinLength, Passwords.MaxLength), reader.Strings("roles", optional: true)?.ToArray());
            reader.RefuseOthers();
            if (email is not null && !IsEmail(email)) faults.Add(new("/email", "INVALID_EMAIL", "This is not an e-mail address."));
            CheckRoles(roles, faults);
        }
        if (faults is not []) { await Problems.InvalidAsync(context, faults); return; }
        var account = await cluster.GetGrain<IAccountGrain>(Account.IdOf(email!)).Register(email!, passwords.Hash(password!), roles ?? ["user"]);
        if (account is null) { await Problems.WriteAsync(context, ProblemType.AlreadyExists, "This e-mail address has an account."); return; }
        await Answers.OkAsync(context, new UserDocument(account.Id, account.Email, account.Roles, account.CreatedAt), WireJson.Default.EnvelopeUserDocument, status: 201);
    }

    static async Task SetRolesAsync(HttpContext context, string id, IClusterClient cluster)
    {
        var faults = new List<Fault>();
        using var body = await RequestBody.ReadAsync(context, faults, "application/json");
        if (body is null) { await RequestBody.RefuseMediaTypeAsync(context, "application/json"); return; }
        string[]? roles = null;
        if (body.Document is { } document)
        {
            var reader = new ObjectReader(document.RootElement, faults);
            roles = reader.Strings("roles")?.ToArray();
            reader.RefuseOthers();
            CheckRoles(roles, faults);
        }
        if (faults is not []) { await Problems.InvalidAsync(context, faults); return; }
        var changed = Ids.TryParse(id, out var account) ? await ClusterCalls.SendAsync(_ => cluster.GetGrain<IAccountGrain>(account).SetRoles(roles!)) : null;
        if (changed is null) await Problems.WriteAsync(context, ProblemType.NotFound, "There is no such account.");
        else await Answers.OkAsync(context, new UserDocument(changed.Id, changed.Email, changed.Roles, changed.CreatedAt), WireJson.Default.EnvelopeUserDocument);
    }

    static void CheckRoles(string[]? roles, List<Fault> faults)
    {
        for (var i = 0; i < roles?.Length; i++)
            if (!Permissions.Roles.Contains(roles[i])) faults.Add(new($"/roles/{i}", "UNKNOWN_ROLE", $"The roles are {string.Join(", ", Permissions.Roles)}."));
    }

    static bool IsEmail(string text) =>
        text.IndexOf('@') is > 0 and var at && at == text.LastIndexOf('@') && at < text.Length - 1 && !text.Any(c => char.IsWhiteSpace(c) || char.IsControl(c));
}
