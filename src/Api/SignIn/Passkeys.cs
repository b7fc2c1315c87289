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
    /// <summary>The relying party's domain; passkeys work only there. Never taken from a request.</summary>
    [Required, RegularExpression("[a-z0-9.-]{1,253}")]
    public string Domain { get; set; } = "localhost";

    /// <summary>
    /// Origins, such as https://app.example.org, whose pages may use passkeys. By default, origins of the domain itself
    /// over HTTPS or on a loopback address.
    /// </summary>
    public string[] Origins { get; set; } = [];

    public IEnumerable<ValidationResult> Validate(ValidationContext context) =>
        Origins
            .Where(origin =>
                !Uri.TryCreate(origin, UriKind.Absolute, out var page)
                || page.GetLeftPart(UriPartial.Authority) != origin
            )
            .Select(origin => new ValidationResult(
                $"'{origin}' is not an origin such as https://app.example.org.",
                [nameof(Origins)]
            ));
}

/// <summary>A passkey ceremony that has started.</summary>
/// <param name="State">Send it back with the result. Single-use; expires after five minutes.</param>
/// <param name="Options">The JSON form of the options for <c>navigator.credentials.create</c> or <c>.get</c>.</param>
public sealed record CeremonyDocument(string State, JsonElement Options);

/// <summary>
/// Registers and verifies passkeys: ASP.NET Core Identity's ceremonies over our accounts. Stricter than its defaults:
/// domain and origins are configured, user verification is required, and credentials must be discoverable.
/// </summary>
public sealed class Passkeys(
    PasskeyOptions options,
    PasskeyStore store,
    Tickets tickets,
    IServiceProvider services,
    ILoggerFactory logs
)
{
    static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(5);

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
                AuthenticatorTimeout = Lifetime,
                ChallengeSize = 32,
                UserVerificationRequirement = "required",
                ResidentKeyRequirement = "required",
                AttestationConveyancePreference = "none",
                ValidateOrigin = context =>
                    ValueTask.FromResult(!context.CrossOrigin && IsOrigin(options, context.Origin)),
            }
        )
    );

    /// <summary>Starts the registration of a passkey for the caller.</summary>
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

    /// <summary>Verifies a new credential; null if it is invalid or belongs to another session.</summary>
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
    /// Starts a sign-in with a passkey. The credential names the account, so the options do not depend on the caller.
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
    /// Verifies an assertion; returns the account, its passkey and the sign count, or null if it is invalid.
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
            await tickets.BeginAsync(JsonSerializer.SerializeToUtf8Bytes(ceremony), Lifetime, tries: 1),
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
    /// The stored part of a ceremony: its purpose, its session, and the framework's state with the challenge.
    /// </summary>
    sealed record Ceremony(bool Registers, Guid? Session, string State);
}
