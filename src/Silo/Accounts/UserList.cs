using System.Text;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Silo;

/// <summary>An account in a list, with its e-mail address.</summary>
/// <param name="Position">Where it was registered; the list is in this order.</param>
public sealed record ListedUser(long Position, Guid Id, string Email, Account Account);

/// <summary>Lists accounts for those who manage them: their addresses are in the vault.</summary>
public sealed class UserList(AccountQueries accounts, Vault vault)
{
    /// <summary>Accounts after a position, oldest first; up to <paramref name="limit"/>.</summary>
    public async Task<List<ListedUser>> PageAsync(long after, int limit, CancellationToken ct)
    {
        var rows = await accounts.PageAsync(after, limit, ct);
        var emails = await vault.OpenAsync([.. rows.Select(row => row.Account.Email)]);
        return rows.ConvertAll(row => new ListedUser(
            row.Position,
            row.Id,
            // A deletion may have emptied the vault meanwhile.
            Encoding.UTF8.GetString(emails.GetValueOrDefault(row.Account.Email, [])),
            row.Account
        ));
    }
}
