using JasperFx;
using Marten;
using Npgsql;
using Resources.Projections;

namespace Resources.Silo;

/// <summary>
/// Marten's objects, which the scripts build on. The name says which version of Marten with which configuration they are
/// of: only another one of these makes Marten compare the database with what it expects.
/// </summary>
sealed class MartenPart : SchemaPart
{
    readonly string connectionString;

    MartenPart(string connectionString, string name, string text)
        : base(name, text) => this.connectionString = connectionString;

    public static MartenPart Of(string connectionString)
    {
        using var source = NpgsqlDataSource.Create(connectionString);
        using var store = DocumentStore.For(options => Configure(options, source));
        var text = store.Storage.ToDatabaseScript();
        var version = typeof(DocumentStore).Assembly.GetName().Version!.ToString(3);
        return new(connectionString, $"marten/{version}/{ChecksumOf(text)[..12]}", text);
    }

    public override async Task ApplyAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        var indexes = await IndexesOfScriptsAsync(connection, ct);
        // On connections of its own, which give up on locks as the transaction does.
        var settings = new NpgsqlConnectionStringBuilder(connectionString);
        settings.Options = $"{settings.Options} -c lock_timeout=300".TrimStart();
        await using var source = NpgsqlDataSource.Create(settings.ConnectionString);
        using var store = DocumentStore.For(options =>
        {
            Configure(options, source);
            foreach (var index in indexes)
                options.Events.IgnoreIndex(index);
        });
        await store.Storage.ApplyAllConfiguredChangesToDatabaseAsync(AutoCreate.CreateOrUpdate);
    }

    static void Configure(StoreOptions options, NpgsqlDataSource source)
    {
        MartenSetup.Configure(options, new());
        options.Connection(source);
        MartenSetup.KeepSkipMarks(options);
    }

    /// <summary>
    /// Marten drops every index of its tables that it does not know. Scripts, those of a later release or of a feature
    /// too, call theirs <c>mt_events_*</c>; Marten's own begin otherwise.
    /// </summary>
    static async Task<string[]> IndexesOfScriptsAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            """
            select coalesce(array_agg(indexname::text), '{}') from pg_indexes
            where schemaname = current_schema() and tablename = 'mt_events' and indexname like 'mt\_events\_%'
            """,
            connection
        );
        return (string[])(await command.ExecuteScalarAsync(ct))!;
    }
}
