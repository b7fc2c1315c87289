using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Api;

/// <summary>Section <c>Passkeys</c>.</summary>
public sealed class PasskeyOptions : IValidatableObject
{
    /// <summary>The domain that passkeys are of; those of another are not good. Never taken from a request.</summary>
    [Required, RegularExpression("[a-z0-9.-]{1,253}")]
    public string Domain { get; set; } = "localhost";

    /// <summary>
    /// Origins (such as https://app.example.org) whose pages may use passkeys; none = those of the domain itself, by
    /// HTTPS or on this machine.
    /// </summary>
    public string[] Origins { get; set; } = [];

    public IEnumerable<ValidationResult> Validate(ValidationContext context) =>
        Origins
            .Where(origin =>
                !Uri.TryCreate(origin, UriKind.Absolute, out var page)
                || page.GetLeftPart(UriPartial.Authority) != origin
            )
            .Select(origin => new ValidationResult(
                $"'{origin}' is no origin such as https://app.example.org.",
                [nameof(Origins)]
            ));
}

/// <summary>A ceremony with a passkey that was begun.</summary>
/// <param name="State">To be sent back with the result, within five minutes, once.</param>
/// <param name="Options">For <c>navigator.credentials.create</c> or <c>.get</c>, in their JSON form.</param>
public sealed record CeremonyDocument(string State, JsonElement Options);

/// <summary>
/// Registers and checks passkeys: ASP.NET Core Identity's ceremonies over our accounts. Its weak defaults are
/// overridden: the domain and the origins are configured, the user must be verified, the credential must be one that
/// can be found without a name.
/// </summary>
public sealed class Passkeys(
    PasskeyOptions options,
    PasskeyStore store,
    Tickets tickets,
    IServiceProvider services,
    ILoggerFactory logs
)
{
    static readonly TimeSpan Life = TimeSpan.FromMinutes(5);

    readonly PasskeyHandler<PasskeyUser> handler = new(
        new UserManager<PasskeyUser>(
            store,
            Options.Create(new IdentityOptions()),
            null!,
            [],
            [],
            null!,
            new(),
            services,
            logs.CreateLogger<UserManager<PasskeyUser>>()
        ),
        Options.Create(
            new IdentityPasskeyOptions
            {
                ServerDomain = options.Domain,
                AuthenticatorTimeout = Life,
                ChallengeSize = 32,
                UserVerificationRequirement = "required",
                ResidentKeyRequirement = "required",
                AttestationConveyancePreference = "none",
                ValidateOrigin = context =>
                    ValueTask.FromResult(!context.CrossOrigin && IsOrigin(options, context.Origin)),
            }
        )
    );

    /// <summary>Begins to register a passkey for the caller.</summary>
    public async Task<CeremonyDocument> BeginRegistrationAsync(HttpContext context, string email)
    {
        var caller = context.Caller();
        var made = await handler.MakeCreationOptionsAsync(
            new()
            {
                Id = caller.Id,
                Name = email,
                DisplayName = email,
            },
            context
        );
        return await BeginAsync(
            made.CreationOptionsJson,
            new(Registers: true, caller.Credential, made.AttestationState!)
        );
    }

    /// <summary>Checks what an authenticator has made; null when it is not good, or not for this session.</summary>
    public async Task<(PasskeyCredential Credential, long SignCount)?> FinishRegistrationAsync(
        HttpContext context,
        string state,
        JsonText credential,
        string label
    )
    {
        if (await EndAsync(state, registers: true, context.Caller().Credential) is not { } begun)
            return null;
        var result = await handler.PerformAttestationAsync(
            new()
            {
                HttpContext = context,
                CredentialJson = credential.ToString(),
                AttestationState = begun,
            }
        );
        if (!result.Succeeded || result.UserEntity.Id != context.CallerId())
            return null;
        var made = result.Passkey;
        return (
            new(
                made.CredentialId,
                made.PublicKey,
                label,
                made.Transports ?? [],
                made.IsUserVerified,
                made.IsBackupEligible,
                made.IsBackedUp
            ),
            made.SignCount
        );
    }

    /// <summary>
    /// Begins to use a passkey. Who it is will be in the answer, so nothing here depends on who asks.
    /// </summary>
    public async Task<CeremonyDocument> BeginUseAsync(HttpContext context)
    {
        var made = await handler.MakeRequestOptionsAsync(null, context);
        return await BeginAsync(
            made.RequestOptionsJson,
            new(Registers: false, Caller.Of(context.User)?.Credential, made.AssertionState!)
        );
    }

    /// <summary>
    /// Checks what an authenticator has signed: the account and its passkey, and the counter; null when it is not good.
    /// </summary>
    public async Task<(Guid Account, Guid Passkey, long SignCount)?> FinishUseAsync(
        HttpContext context,
        string state,
        JsonText credential
    )
    {
        if (await EndAsync(state, registers: false, Caller.Of(context.User)?.Credential) is not { } begun)
            return null;
        var result = await handler.PerformAssertionAsync(
            new()
            {
                HttpContext = context,
                CredentialJson = credential.ToString(),
                AssertionState = begun,
            }
        );
        if (!result.Succeeded)
            return null;
        var known = result.User.Passkeys.First(known =>
            known.Credential.Id.AsSpan().SequenceEqual(result.Passkey.CredentialId)
        );
        return (result.User.Id, known.Passkey.Id, result.Passkey.SignCount);
    }

    async Task<CeremonyDocument> BeginAsync(string json, Ceremony ceremony) =>
        new(
            await tickets.BeginAsync(JsonSerializer.SerializeToUtf8Bytes(ceremony), Life, tries: 1),
            JsonElement.Parse(json)
        );

    async Task<string?> EndAsync(string state, bool registers, Guid? session)
    {
        if (await tickets.TryAsync(state) is not { } content || !await tickets.EndAsync(state))
            return null;
        var ceremony = JsonSerializer.Deserialize<Ceremony>(content)!;
        return ceremony.Registers == registers && ceremony.Session == session ? ceremony.State : null;
    }

    static bool IsOrigin(PasskeyOptions options, string origin)
    {
        if (options.Origins is not [])
            return options.Origins.Contains(origin, StringComparer.OrdinalIgnoreCase);
        return Uri.TryCreate(origin, UriKind.Absolute, out var page)
            && page.Host == options.Domain
            && (page.Scheme == Uri.UriSchemeHttps || page.Scheme == Uri.UriSchemeHttp && page.IsLoopback);
    }

    /// <summary>
    /// What is kept of a ceremony: what it is for, the session that it belongs to, and the state of the framework, with
    /// the challenge.
    /// </summary>
    sealed record Ceremony(bool Registers, Guid? Session, string State);
}
