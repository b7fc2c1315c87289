using Npgsql;
using NpgsqlTypes;
using Resources.Silo;

namespace Resources.Cluster.Tests;

/// <summary>
/// A database with the schema. It runs the stored statements as Orleans does, by key with typed named parameters.
/// </summary>
public sealed class OrleansTables(TestPostgres postgres) : IAsyncLifetime
{
    NpgsqlDataSource source = null!;
    readonly Dictionary<string, string> texts = [];

    public string ConnectionString { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        ConnectionString = await postgres.CreateDatabaseAsync();
        await Schema.ApplyAsync(
            ConnectionString,
            _ => SchemaTests.ApplyMartenAsync(ConnectionString),
            TestContext.Current.CancellationToken
        );
        source = NpgsqlDataSource.Create(ConnectionString);
        await using var command = source.CreateCommand("select QueryKey, QueryText from OrleansQuery");
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
            texts.Add(reader.GetString(0), reader.GetString(1));
    }

    public ValueTask DisposeAsync() => source.DisposeAsync();

    /// <summary>Runs the statement of a key. Returns its rows, with columns by name in lower case.</summary>
    public async Task<List<Dictionary<string, object?>>> QueryAsync(string key, object parameters)
    {
        await using var command = source.CreateCommand(texts[key]);
        foreach (
            var property in parameters
                .GetType()
                .GetProperties()
                .Where(property => texts[key].Contains('@' + property.Name, StringComparison.Ordinal))
        )
        {
            var type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
            command.Parameters.Add(
                new(property.Name, TypeOf(type)) { Value = property.GetValue(parameters) ?? DBNull.Value }
            );
        }

        var rows = new List<Dictionary<string, object?>>();
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
            rows.Add(
                Enumerable
                    .Range(0, reader.FieldCount)
                    .ToDictionary(reader.GetName, column => reader.IsDBNull(column) ? null : reader.GetValue(column))
            );
        return rows;
    }

    /// <summary>Runs a statement whose single number says whether it did something.</summary>
    public async Task<bool> SucceedsAsync(string key, object parameters) =>
        Convert.ToInt32(Assert.Single(Assert.Single(await QueryAsync(key, parameters)).Values), provider: null) > 0;

    static NpgsqlDbType TypeOf(Type type) =>
        type switch
        {
            _ when type == typeof(string) => NpgsqlDbType.Text,
            _ when type == typeof(int) => NpgsqlDbType.Integer,
            _ when type == typeof(long) => NpgsqlDbType.Bigint,
            _ when type == typeof(byte[]) => NpgsqlDbType.Bytea,
            _ when type == typeof(DateTime) => NpgsqlDbType.TimestampTz,
            _ => throw new ArgumentOutOfRangeException(nameof(type), type, null),
        };
}
