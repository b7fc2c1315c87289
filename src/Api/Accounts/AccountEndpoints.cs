using System.ComponentModel.DataAnnotations;
using System.Text;
using System.Text.Json;
using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Api;

/// <summary>The caller.</summary>
/// <param name="Credential">
/// How the caller is known: <c>token</c>, <c>cookie</c>, <c>apiKey</c> or <c>external</c>.
/// </param>
/// <param name="Permissions">What the caller may do now.</param>
/// <param name="CsrfToken">For sessions by cookie: what to send as <c>X-CSRF-Token</c>.</param>
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
    public static UserDocument Of(Guid id, string email, Account account) =>
        new(id, email, account.Roles, account.EmailVerified, account.Disabled, account.CreatedAt);
}

/// <summary>The roles that an account is to have; those that it has and that are not here, it loses.</summary>
public sealed record RolesRequest(string[] Roles);

/// <summary>What creating an account takes.</summary>
/// <param name="Password">
/// The first password; absent, where accounts are made by invitation: the owner gets a mail.
/// </param>
public sealed record UserRequest(
    string Email,
    [property: StringLength(Passwords.MaxLength, MinimumLength = Passwords.MinLength)] string? Password = null,
    string[]? Roles = null
);

/// <summary>What changing an account takes.</summary>
public sealed record UserChange(bool Disabled);

/// <summary>
/// The caller, and the accounts for those who may manage them. Nobody manages an account that may do more than they
/// may.
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
            .WithName("createUser")
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
            .WithSummary("Enable or disable an account")
            .WithDescription("Disabling an account ends its sessions and API keys within a second.")
            .TakesBody<UserChange>("""{"disabled":true}""")
            .Answers<Envelope<UserDocument>>(200)
            .Refuses(404, 409, 413, 415);
        users
            .MapPut("/{id}/roles", SetRolesAsync)
            .Require(Permissions.UserUpdate)
            .WithName("setUserRoles")
            .WithSummary("Replace an account's roles")
            .WithDescription("Takes effect within a second, including for open streams.")
            .TakesBody<RolesRequest>("""{"roles":["user"]}""")
            .Answers<Envelope<UserDocument>>(200)
            .Refuses(404, 409, 413, 415);
        users
            .MapDelete("/{id}", DeleteAsync)
            .Require(Permissions.UserDelete)
            .WithName("deleteUser")
            .WithSummary("Delete an account")
            .WithDescription("Erases the owner's personal data. The account's resources remain.")
            .Produces(204)
            .Refuses(404, 409);
    }

    static async Task MeAsync(HttpContext context, Accounts accounts, SessionTokens sessionTokens)
    {
        var caller = context.Caller();
        var email =
            caller.Kind is CredentialKind.External
                ? null
                : (await ClusterCalls.SendAsync(_ => accounts.Grain(caller.Account).GetSecrets()))?.Email;
        var kind = JsonNamingPolicy.CamelCase.ConvertName(caller.Kind.ToString());
        await Responses.OkAsync(
            context,
            new MeDocument(
                caller.Account,
                email,
                caller.Roles,
                caller.Permissions.ToTexts(),
                kind,
                caller.Kind is CredentialKind.ApiKey ? null : caller.Credential,
                caller.AuthenticatedAt,
                caller.Kind is CredentialKind.Cookie ? sessionTokens.Csrf(caller.Credential!.Value) : null
            ),
            AccountJson.Default.EnvelopeMeDocument
        );
    }

    static async Task ListAsync(HttpContext context, AccountQueries accounts, Vault vault)
    {
        var query = new QueryReader(context.Request);
        var limit = query.Limit(20, MaxPage);
        var after = query.Number("cursor", 0) ?? 0;
        if (query.Faults is not [])
        {
            await Problems.InvalidAsync(context, query.Faults);
            return;
        }
        var rows = await accounts.PageAsync(after, limit + 1, context.RequestAborted);
        var emails = await vault.OpenAsync([.. rows.Select(row => row.Account.Email)]);
        IReadOnlyList<UserDocument> users =
        [
            .. rows.Take(limit)
                .Select(row =>
                    UserDocument.Of(
                        row.Id,
                        Encoding.UTF8.GetString(emails.GetValueOrDefault(row.Account.Email, [])),
                        row.Account
                    )
                ),
        ];
        await Responses.OkAsync(
            context,
            users,
            AccountJson.Default.EnvelopeIReadOnlyListUserDocument,
            page: new(
                limit,
                rows.Count > limit
                    ? rows[limit - 1].Position.ToString(System.Globalization.CultureInfo.InvariantCulture)
                    : null
            )
        );
    }

    static async Task CreateAsync(
        HttpContext context,
        Accounts accounts,
        Passwords passwords,
        RoleRights rights,
        AccountOptions options,
        Mailer mailer,
        MailTemplates letters
    ) => await RequestBody.TakeAsync(context, ReadUser(await rights.RolesAsync(), options), async asked =>
        {
            var roles = asked.Roles ?? ["user"];
            if (await rights.RefuseGrantAsync(context, roles))
                return;
            var hash = asked.Password is null ? null : await passwords.HashAsync(asked.Password);
            var account = new RegisterAccount(asked.Email, hash, roles, EmailVerified: hash is not null);
            var intent = context.Intend();
            var (id, reply) = await ClusterCalls.SendAsync(intent, sent => accounts.RegisterAsync(account, sent));
            if (reply.Rejection is { } rejection)
            {
                await Problems.RefuseAsync(context, rejection);
                return;
            }
            if (hash is null)
                mailer.Enqueue(async () => letters.Invite((await accounts.Grain(id).GetSecrets())!));
            await Responses.OkAsync(
                context,
                UserDocument.Of(id, AccountDirectory.Normalize(asked.Email), reply.Value!),
                AccountJson.Default.EnvelopeUserDocument,
                status: 201
            );
        });

    static Task GetAsync(HttpContext context, string id, Accounts accounts) =>
        WithAccountAsync(context, id, accounts, found => AnswerAsync(context, found, found.Account));

    static Task ChangeAsync(HttpContext context, string id, Accounts accounts, RoleRights rights) =>
        RequestBody.TakeAsync(context, ReadChange, asked => WithAccountAsync(context, id, accounts, async found =>
            {
                if (await rights.RefuseManagingAsync(context, found.Account.Roles))
                    return;
                var intent = context.Intend();
                var changed = await ClusterCalls.SendAsync(intent, sent =>
                    accounts.Grain(found.Id).Execute(new SetAccountDisabled(asked.Disabled), sent)
                );
                if (changed.Rejection is { } rejection)
                    await Problems.RefuseAsync(context, rejection);
                else
                    await AnswerAsync(context, found, changed.Value!);
            }));

    static async Task SetRolesAsync(HttpContext context, string id, Accounts accounts, RoleRights rights) =>
        await RequestBody.TakeAsync(context, ReadRoles(await rights.RolesAsync()), asked =>
            WithAccountAsync(context, id, accounts, async found =>
            {
                if (
                    await rights.RefuseGrantAsync(context, asked.Roles)
                    || await rights.RefuseManagingAsync(context, found.Account.Roles)
                )
                    return;
                var intent = context.Intend();
                var changed = await ClusterCalls.SendAsync(intent, sent =>
                    accounts.Grain(found.Id).Execute(new SetAccountRoles(asked.Roles), sent)
                );
                if (changed.Rejection is { } rejection)
                    await Problems.RefuseAsync(context, rejection);
                else
                    await AnswerAsync(context, found, changed.Value!);
            })
        );

    /// <summary>
    /// Also for one that is deleted already, in case that came no further than its event; the answer is that there is
    /// none.
    /// </summary>
    static async Task DeleteAsync(HttpContext context, string id, Accounts accounts, RoleRights rights)
    {
        if (
            !Ids.TryParse(id, out var account)
            || (await ClusterCalls.SendAsync(_ => accounts.Grain(account).Get())).Value is not { } found
        )
        {
            await Problems.RefuseAsync(context, Account.None);
            return;
        }
        if (await rights.RefuseManagingAsync(context, found.Roles))
            return;
        var intent = context.Intend();
        var deleted = await ClusterCalls.SendAsync(intent, sent =>
            accounts.Grain(account).Execute(new DeleteAccount(), sent)
        );
        if (deleted.Rejection is { } rejection)
            await Problems.RefuseAsync(context, rejection);
        else
            context.Response.StatusCode = 204;
    }

    static Task AnswerAsync(HttpContext context, AccountSecrets found, Account account) =>
        Responses.OkAsync(
            context,
            UserDocument.Of(found.Id, found.Email, account),
            AccountJson.Default.EnvelopeUserDocument
        );

    static async Task WithAccountAsync(
        HttpContext context,
        string id,
        Accounts accounts,
        Func<AccountSecrets, Task> handle
    )
    {
        if (
            Ids.TryParse(id, out var account)
            && await ClusterCalls.SendAsync(_ => accounts.Grain(account).GetSecrets()) is { } found
        )
            await handle(found);
        else
            await Problems.RefuseAsync(context, Account.None);
    }

    static Func<JsonElement, List<Fault>, UserRequest> ReadUser(
        IReadOnlyDictionary<string, PermissionSet> known,
        AccountOptions options
    ) =>
        (body, faults) =>
        {
            var reader = new ObjectReader(body, faults);
            var asked = new UserRequest(
                reader.Text("email", 3, AuthEndpoints.MaxEmailLength)!,
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
            CheckRoles(asked.Roles, known, faults);
            return asked;
        };

    static UserChange ReadChange(JsonElement body, List<Fault> faults)
    {
        var reader = new ObjectReader(body, faults);
        var disabled = reader.Flag("disabled");
        reader.RefuseOthers();
        return new(disabled is true);
    }

    static Func<JsonElement, List<Fault>, RolesRequest> ReadRoles(IReadOnlyDictionary<string, PermissionSet> known) =>
        (body, faults) =>
        {
            var reader = new ObjectReader(body, faults);
            var roles = reader.Strings("roles")?.Distinct().ToArray();
            reader.RefuseOthers();
            CheckRoles(roles, known, faults);
            return new(roles!);
        };

    static void CheckRoles(string[]? roles, IReadOnlyDictionary<string, PermissionSet> known, List<Fault> faults)
    {
        for (var i = 0; i < roles?.Length; i++)
            if (!known.ContainsKey(roles[i]))
                faults.Report(
                    $"/roles/{i}",
                    "UNKNOWN_ROLE",
                    $"The roles are {string.Join(", ", known.Keys.Order(StringComparer.Ordinal))}."
                );
    }

    internal static void CheckEmail(string? email, List<Fault> faults)
    {
        if (email is not null && !IsEmail(email))
            faults.Add(new("/email", "INVALID_EMAIL", "This is not an e-mail address."));
    }

    static bool IsEmail(string text) =>
        text.IndexOf('@') is > 0 and var at
        && at == text.LastIndexOf('@')
        && at < text.Length - 1
        && !text.Any(c => char.IsWhiteSpace(c) || char.IsControl(c));
}
