using Npgsql;
using Resources.Grains;

namespace Resources.Projections;

/// <summary>An account as others may see it.</summary>
public sealed record AccountRow(Guid Id, string Email, string[] Roles, DateTimeOffset CreatedAt);

/// <summary>Reads accounts for lists, ordered by id.</summary>
public sealed class AccountQueries(NpgsqlDataSource database, StoreContact contact)
{
    /// <summary>Accounts after an id; up to <paramref name="limit"/>.</summary>
    public Task<List<AccountRow>> PageAsync(Guid after, int limit, CancellationToken ct) => contact.WhileAvailableAsync(async ct =>
    {
        await using var command = database.CreateCommand("""
            select id, data ->> 'email', array(select jsonb_array_elements_text(data -> 'roles')), (data ->> 'createdAt')::timestamptz
            from mt_doc_account where id > $1 order by id limit $2
            """);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = after });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = limit });
        var rows = new List<AccountRow>();
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct)) rows.Add(new(row.GetGuid(0), row.GetString(1), row.GetFieldValue<string[]>(2), row.GetFieldValue<DateTimeOffset>(3)));
        return rows;
    }, ct);

    /// <summary>The roles of those of the accounts that exist.</summary>
    public Task<Dictionary<Guid, string[]>> RolesAsync(Guid[] accounts, CancellationToken ct) => contact.WhileAvailableAsync(async ct =>
    {
        await using var command = database.CreateCommand("select id, array(select jsonb_array_elements_text(data -> 'roles')) from mt_doc_account where id = any ($1)");
        command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = accounts });
        var roles = new Dictionary<Guid, string[]>();
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct)) roles[row.GetGuid(0)] = row.GetFieldValue<string[]>(1);
        return roles;
    }, ct);

    /// <summary>Whether any account exists.</summary>
    public Task<bool> AnyAsync(CancellationToken ct) => contact.WhileAvailableAsync(async ct =>
    {
        await using var command = database.CreateCommand("select exists (select from mt_doc_account)");
        return await command.ExecuteScalarAsync(ct) is true;
    }, ct);
}
