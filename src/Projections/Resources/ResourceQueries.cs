using System.Text;
using System.Text.Json;
using Npgsql;
using Resources.Grains;

namespace Resources.Projections;

/// <summary>A row of a list: the resource with its id and version.</summary>
public sealed record ResourceRow(Guid Id, long Version, Resource Resource);

/// <summary>Reads <c>resource_views</c>, newest first.</summary>
public sealed class ResourceQueries(NpgsqlDataSource database, StoreContact contact)
{
    /// <summary>The last row of a page: the next page starts after it.</summary>
    public readonly record struct Key(DateTimeOffset CreatedAt, Guid Id);

    /// <summary>Rows of one page, filtered by equality; up to <paramref name="limit"/> of them.</summary>
    public Task<List<ResourceRow>> PageAsync(string? type, string? status, string? owner, Key? after, int limit, CancellationToken ct) => contact.WhileAvailableAsync(async ct =>
    {
        await using var command = database.CreateCommand();
        var sql = new StringBuilder("""
            select id, version, type, name, status, metadata::text, owner, created_at, created_by, updated_at, updated_by
            from resource_views where deleted_at is null
            """);
        void Where(string condition, object value)
        {
            command.Parameters.Add(new() { Value = value });
            sql.Append(" and ").Append(condition).Append('$').Append(command.Parameters.Count);
        }
        if (type is not null) Where("type = ", type);
        if (status is not null) Where("status = ", status);
        if (owner is not null) Where("owner = ", owner);
        if (after is { } key)
        {
            Where("(created_at, id) < (", key.CreatedAt);
            command.Parameters.Add(new() { Value = key.Id });
            sql.Append(", $").Append(command.Parameters.Count).Append(')');
        }
        command.Parameters.Add(new() { Value = limit });
        sql.Append(" order by created_at desc, id desc limit $").Append(command.Parameters.Count);
        command.CommandText = sql.ToString();

        var rows = new List<ResourceRow>(limit);
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct))
            rows.Add(new(row.GetGuid(0), row.GetInt64(1), new(
                row.GetString(2), row.GetString(3), row.GetString(4), JsonText.From(JsonElement.Parse(row.GetString(5))), row.GetString(6),
                row.GetFieldValue<DateTimeOffset>(7), row.GetString(8), row.GetFieldValue<DateTimeOffset>(9), row.GetString(10), null)));
        return rows;
    }, ct);
}
