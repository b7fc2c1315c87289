using System.Security.Cryptography;
using System.Text;
using Resources.Grains;

namespace Resources.Silo;

/// <summary>Which account an e-mail address, or a passkey, belongs to. They are known by keyed digests only.</summary>
public sealed class AccountDirectory(ReadsDb db, MasterKey master)
{
    /// <summary>Accounts of an address in its forms, that of the first one first.</summary>
    const string OfAddress =
        "select account from account_emails where digest = any ($1) order by array_position($1, digest)";

    readonly byte[] key = master.Derive("e-mail addresses");

    /// <summary>No address is longer (RFC 5321).</summary>
    public const int MaxEmailLength = 254;

    /// <summary>
    /// The form in which addresses are kept and compared: in lower case by the rules of no language, and composed (NFC).
    /// </summary>
    public static string Normalize(string email) => UnicodeForms.Compose(Lower(email));

    /// <summary>
    /// The account of an address; null when there is none. It may have been claimed for an account that was never made.
    /// </summary>
    public Task<Guid?> FindAsync(string email) =>
        db.ScalarAsync<Guid?>($"{OfAddress} limit 1", [Arg.Of(Digests(email))]);

    /// <summary>Claims an address; returns the account that has it now, the given one or an earlier one.</summary>
    public async Task<Guid> ClaimAsync(string email, Guid account) =>
        (
            await db.ScalarAsync<Guid?>(
                $"""
                with known as ({OfAddress} limit 1),
                claimed as (
                    insert into account_emails (digest, account) select $2, $3 where not exists (select from known)
                    on conflict (digest) do update set account = account_emails.account returning account
                )
                select account from known union all select account from claimed
                """,
                [Arg.Of(Digests(email)), Arg.Of(Digest(Normalize(email))), Arg.Of(account)]
            )
        )!.Value;

    /// <summary>Frees the addresses and passkeys of an account that is deleted.</summary>
    public Task ReleaseAsync(Guid account) =>
        db.ExecuteAsync(
            "with passkeys as (delete from account_passkeys where account = $1) delete from account_emails where account = $1",
            [Arg.Of(account)]
        );

    /// <summary>The id of a passkey here: one credential has one.</summary>
    public Guid PasskeyId(byte[] credential) => DerivedId.Of("passkey", Convert.ToHexString(Digest(credential)));

    /// <summary>The account that has a passkey, by the credential's id; null when none has.</summary>
    public Task<Guid?> FindPasskeyAsync(byte[] credential) =>
        ReadAsync("select account from account_passkeys where digest = $1", Digest(credential), null);

    /// <summary>Claims a passkey; returns the account that has it now, the given one or an earlier one.</summary>
    public async Task<Guid> ClaimPasskeyAsync(byte[] credential, Guid account) =>
        (
            await ReadAsync(
                """
                insert into account_passkeys (digest, account) values ($1, $2) on conflict (digest) do update set account = account_passkeys.account returning account
                """,
                Digest(credential),
                account
            )
        )!.Value;

    /// <summary>Frees a passkey that its account has removed.</summary>
    public Task ReleasePasskeyAsync(byte[] credential, Guid account) =>
        ReadAsync(
            "delete from account_passkeys where digest = $1 and account = $2 returning account",
            Digest(credential),
            account
        );

    static string Lower(string email) => email.Trim().ToLowerInvariant();

    /// <summary>
    /// Of an address as it is given, and of its other forms: earlier releases knew addresses as they were given. Who has
    /// one of these keeps it.
    /// </summary>
    byte[][] Digests(string email)
    {
        var given = Lower(email);
        return Ascii.IsValid(given)
            ? [Digest(given)]
            : [Digest(given), Digest(UnicodeForms.Compose(given)), Digest(UnicodeForms.Decompose(given))];
    }

    byte[] Digest(string text) => Digest(Encoding.UTF8.GetBytes(text));

    byte[] Digest(byte[] value) => HMACSHA256.HashData(key, value);

    Task<Guid?> ReadAsync(string sql, byte[] digest, Guid? account) =>
        db.ScalarAsync<Guid?>(sql, account is { } id ? [Arg.Of(digest), Arg.Of(id)] : [Arg.Of(digest)]);
}
