using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Api;

/// <summary>The caller.</summary>
/// <param name="Credential">
/// The kind of the caller's credential: <c>token</c>, <c>cookie</c>, <c>apiKey</c> or <c>external</c>.
/// </param>
/// <param name="Permissions">The caller's current permissions.</param>
/// <param name="CsrfToken">For cookie sessions: the value of the header <c>X-CSRF-Token</c>.</param>
public sealed record MeDocument(
    Guid Id,
    string? Email,
    string[] Roles,
    string[] Permissions,
    string Credential,
    Guid? Session,
    DateTimeOffset? AuthenticatedAt,
    string? CsrfToken
);

/// <summary>An account.</summary>
public sealed record UserDocument(
    Guid Id,
    string Email,
    string[] Roles,
    bool EmailVerified,
    bool Disabled,
    DateTimeOffset CreatedAt
)
{
    public static UserDocument Of(Guid id, string email, Account account, RoleBook book) =>
        new(id, email, book.NamesOf(account.Roles), account.EmailVerified, account.Disabled, account.CreatedAt);
}

/// <summary>The new roles of an account. They replace all its current roles.</summary>
public sealed record RolesRequest(string[] Roles);

/// <summary>A new account.</summary>
/// <param name="Password">
/// The initial password. If invitations are enabled it may be absent; the owner then gets a mail.
/// </param>
public sealed record UserRequest(
    string Email,
    [property: StringLength(Passwords.MaxLength, MinimumLength = Passwords.MinLength)] string? Password = null,
    string[]? Roles = null
);

/// <summary>A change of an account.</summary>
public sealed record UserChange(bool? Disabled = null);

/// <summary>
/// The caller's account, and account management. Callers can manage only accounts whose permissions do not exceed
/// theirs.
/// </summary>
public static class AccountEndpoints
{
    const int MaxPage = 200;

    public static void MapAccounts(this RouteGroupBuilder api)
    {
        api.MapRead("/me", MeAsync)
            .CarriesSecrets()
            .RequireAuthorization()
            .WithName("me")
            .WithTags("auth")
            .WithSummary("Get the signed-in account")
            .Answers<Envelope<MeDocument>>(200);
        var users = api.MapGroup("/users").WithTags("users").TakesPath(Parameter.Id("id", "The id of the account."));
        users
            .MapRead("", ListAsync)
            .Require(Permissions.UserRead)
            .WithName("listUsers")
            .WithSummary("List accounts")
            .WithDescription("Oldest first.")
            .TakesQuery(PageParameters.Cursor, PageParameters.Limit)
            .Answers<Envelope<IReadOnlyList<UserDocument>>>(200);
        users
            .MapPost("", CreateAsync)
            .Require(Permissions.UserCreate)
            .LimitCreation(CreationLimit.Users)
            .WithName("createUser")
            .Audits("account.registered")
            .WithSummary("Create an account")
            .TakesBody<UserRequest>(
                """{"email":"user@example.org","password":"at least fifteen characters","roles":["user"]}"""
            )
            .Answers<Envelope<UserDocument>>(201)
            .Refuses(409, 413, 415);
        users
            .MapRead("/{id}", GetAsync)
            .Require(Permissions.UserRead)
            .WithName("getUser")
            .WithSummary("Get an account")
            .Answers<Envelope<UserDocument>>(200)
            .Refuses(404);
        users
            .MapPatch("/{id}", ChangeAsync)
            .Require(Permissions.UserUpdate)
            .WithName("changeUser")
            .Audits("account.disabled", "account.enabled")
            .WithSummary("Enable or disable an account")
            .WithDescription("Disabling an account ends its sessions and API keys within a second.")
            .TakesBody<UserChange>("""{"disabled":true}""", RequestBody.MergePatches)
            .Answers<Envelope<UserDocument>>(200)
            .Refuses(404, 409, 413, 415);
        users
            .MapPut("/{id}/roles", SetRolesAsync)
            .Require(Permissions.UserUpdate)
            .WithName("setUserRoles")
            .Audits("account.roles_changed")
            .WithSummary("Replace an account's roles")
            .WithDescription("Takes effect within a second, including for open streams.")
            .TakesBody<RolesRequest>("""{"roles":["user"]}""")
            .Answers<Envelope<UserDocument>>(200)
            .Refuses(404, 409, 413, 415);
        users
            .MapDelete("/{id}", DeleteAsync)
            .Require(Permissions.UserDelete)
            .WithName("deleteUser")
            .Audits("account.deleted", "api_key.revoked", "subscription.deleted")
            .WithSummary("Delete an account")
            .WithDescription("Erases the owner's personal data. The account's resources remain.")
            .Produces(204)
            .Refuses(404, 409);
    }

    static async Task<Answer> MeAsync(HttpContext context, Accounts accounts, SessionTokens sessionTokens)
    {
        var caller = context.Caller();
        var secrets =
            caller.Kind is CredentialKind.External
                ? null
                : await ClusterCalls.ReadAsync(() => accounts.Grain(caller.Account).GetSecrets());
        return Answer.Of(
            new MeDocument(
                caller.Account,
                secrets?.Email,
                caller.Roles,
                caller.Permissions.ToTexts(),
                JsonNamingPolicy.CamelCase.ConvertName(caller.Kind.ToString()),
                caller.Kind is CredentialKind.ApiKey ? null : caller.Credential,
                caller.AuthenticatedAt,
                caller.Kind is CredentialKind.Cookie ? sessionTokens.Csrf(caller.Credential!.Value) : null
            )
        );
    }

    static async Task<Answer> ListAsync(HttpContext context, UserList list, RoleRights rights)
    {
        var query = new QueryReader(context.Request);
        var limit = query.Limit(20, MaxPage);
        var after = query.Number("cursor", 0) ?? 0;
        if (query.Faults is not [])
            return Answer.Invalid(query.Faults);
        var found = await list.PageAsync(after, limit + 1, context.RequestAborted);
        var book = await rights.BookAsync();
        return new Answer<IReadOnlyList<UserDocument>>([
            .. found.Take(limit).Select(user => UserDocument.Of(user.Id, user.Email, user.Account, book)),
        ])
        {
            Page = new(limit, found.Count > limit ? Responses.Text(found[limit - 1].Position) : null),
        };
    }

    static async Task<Answer> CreateAsync(
        HttpContext context,
        Accounts accounts,
        Passwords passwords,
        RoleRights rights,
        AccountOptions options,
        Mailer mailer,
        MailTemplates templates
    )
    {
        var book = await rights.BookAsync();
        return await RequestBody.TakeAsync(context, ReadUser(book, options), async asked =>
        {
            var roles = asked.Roles ?? ["user"];
            if (await rights.CheckGrantAsync(context.Caller(), roles) is { } refusal)
                return refusal;
            var hash = asked.Password is null
                ? null
                : await passwords.HashAsync(asked.Password, HashCaller.Of(context, isKnown: true));
            var account = new RegisterAccount(
                asked.Email,
                hash,
                [.. roles.Select(book.GrantOf)],
                EmailVerified: hash is not null
            );
            var intent = context.Intend();
            var (id, reply) = await ClusterCalls.SendAsync(intent, sent => accounts.RegisterAsync(account, sent));
            if (reply.Rejection is { } rejection)
                return rejection;
            if (hash is null)
                mailer.Enqueue(async () => templates.Invite((await accounts.Grain(id).GetSecrets())!));
            return new Answer<UserDocument>(
                UserDocument.Of(id, AccountDirectory.Normalize(asked.Email), reply.Value!, book)
            )
            {
                Status = StatusCodes.Status201Created,
            };
        });
    }

    static async Task<Answer> GetAsync(string id, Accounts accounts, RoleRights rights) =>
        await FindAsync(id, accounts) is { } found
            ? Answer.Of(UserDocument.Of(found.Id, found.Email, found.Account, await rights.BookAsync()))
            : Account.None;

    static Task<Answer> ChangeAsync(HttpContext context, string id, Accounts accounts, RoleRights rights) =>
        RequestBody.TakeAsync(context, ReadChange, async asked =>
        {
            if (await FindAsync(id, accounts) is not { } found)
                return Account.None;
            if (await rights.CheckManagingAsync(context.Caller(), found.Account.Roles) is { } refusal)
                return refusal;
            return asked.Disabled is { } disabled
                ? await ExecuteAsync(context, accounts, rights, found, new SetAccountDisabled(disabled))
                : Answer.Of(UserDocument.Of(found.Id, found.Email, found.Account, await rights.BookAsync()));
        });

    static async Task<Answer> SetRolesAsync(HttpContext context, string id, Accounts accounts, RoleRights rights)
    {
        var book = await rights.BookAsync();
        return await RequestBody.TakeAsync(context, ReadRoles(book), async asked =>
        {
            if (await FindAsync(id, accounts) is not { } found)
                return Account.None;
            var caller = context.Caller();
            var roles = new SetAccountRoles([.. asked.Roles.Select(book.GrantOf)]);
            return await rights.CheckGrantAsync(caller, asked.Roles)
                ?? await rights.CheckManagingAsync(caller, found.Account.Roles)
                ?? await ExecuteAsync(context, accounts, rights, found, roles);
        });
    }

    /// <summary>
    /// Also accepts an account that is already deleted, in case an earlier deletion stopped after its event. The answer
    /// is then 404.
    /// </summary>
    static async Task<Answer> DeleteAsync(HttpContext context, string id, Accounts accounts, RoleRights rights)
    {
        if (
            !Ids.TryParse(id, out var account)
            || (await ClusterCalls.ReadAsync(() => accounts.Grain(account).Get())).Value is not { } found
        )
            return Account.None;
        if (await rights.CheckManagingAsync(context.Caller(), found.Roles) is { } refusal)
            return refusal;
        var intent = context.Intend();
        var deleted = await ClusterCalls.SendAsync(intent, sent =>
            accounts.Grain(account).Execute(new DeleteAccount(), sent)
        );
        return deleted.Rejection is { } rejection ? rejection : Answer.Empty();
    }

    static async Task<Answer> ExecuteAsync(
        HttpContext context,
        Accounts accounts,
        RoleRights rights,
        AccountSecrets found,
        AccountCommand command
    )
    {
        var intent = context.Intend();
        var changed = await ClusterCalls.SendAsync(intent, sent => accounts.Grain(found.Id).Execute(command, sent));
        return changed.Rejection is { } rejection
            ? rejection
            : Answer.Of(UserDocument.Of(found.Id, found.Email, changed.Value!, await rights.BookAsync()));
    }

    /// <summary>The account that a path names; null when there is none.</summary>
    static async Task<AccountSecrets?> FindAsync(string id, Accounts accounts) =>
        Ids.TryParse(id, out var account)
            ? await ClusterCalls.ReadAsync(() => accounts.Grain(account).GetSecrets())
            : null;

    static Func<JsonElement, List<Fault>, UserRequest> ReadUser(RoleBook book, AccountOptions options) =>
        (body, faults) =>
        {
            var reader = new ObjectReader(body, faults);
            var asked = new UserRequest(
                reader.Text("email", 3, AccountDirectory.MaxEmailLength)!,
                reader.Text(
                    "password",
                    Passwords.MinLength,
                    Passwords.MaxLength,
                    optional: options.Registration is not Registration.Closed
                ),
                reader.Strings("roles", optional: true)?.ToArray()
            );
            reader.RefuseOthers();
            CheckEmail(asked.Email, faults);
            PasswordRules.Check(asked.Password, asked.Email, "/password", faults);
            CheckRoles(asked.Roles, book, faults);
            return asked;
        };

    static UserChange ReadChange(JsonElement body, List<Fault> faults)
    {
        var reader = new ObjectReader(body, faults);
        var change = new UserChange(reader.Flag("disabled", optional: true));
        reader.RefuseOthers();
        return change;
    }

    static Func<JsonElement, List<Fault>, RolesRequest> ReadRoles(RoleBook book) =>
        (body, faults) =>
        {
            var reader = new ObjectReader(body, faults);
            var roles = reader.Strings("roles")?.Distinct().ToArray();
            reader.RefuseOthers();
            CheckRoles(roles, book, faults);
            return new(roles!);
        };

    static void CheckRoles(string[]? roles, RoleBook book, List<Fault> faults)
    {
        var known = book.All();
        for (var i = 0; i < roles?.Length; i++)
            if (!known.ContainsKey(roles[i]))
                faults.Report(
                    $"/roles/{i}",
                    "UNKNOWN_ROLE",
                    $"Unknown role. Known roles: {string.Join(", ", known.Keys.Order(StringComparer.Ordinal))}."
                );
    }

    internal static void CheckEmail(string? email, List<Fault> faults)
    {
        if (email is not null && !IsEmail(email))
            faults.Add(new("/email", "INVALID_EMAIL", "The value must be an e-mail address."));
    }

    static bool IsEmail(string text) =>
        text.IndexOf('@') is > 0 and var at
        && at == text.LastIndexOf('@')
        && at < text.Length - 1
        && !text.Any(c => char.IsWhiteSpace(c) || char.IsControl(c));
}
