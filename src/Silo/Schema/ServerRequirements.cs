using Microsoft.Extensions.Logging;
using Npgsql;
using Resources.Grains;

namespace Resources.Silo;

/// <summary>
/// What a PostgreSQL server has to be before anything is made in it. What it must be while the node runs is checked by
/// <see cref="Resources.Grains.LogPlace"/>.
/// </summary>
static class ServerRequirements
{
    const int OldestMajor = 15;

    /// <summary>Expiry, rate limits and times in answers go by the node's clock, times of events by the server's.</summary>
    static readonly TimeSpan MostClockDifference = TimeSpan.FromMinutes(1);

    static readonly TimeSpan KeptClockDifference = TimeSpan.FromSeconds(2);

    /// <summary>Checks the server, and warns if it allows fewer connections than the node may need.</summary>
    /// <param name="connections">How many the node may open.</param>
    /// <exception cref="ConfigurationException">The server cannot be used.</exception>
    public static async Task CheckAsync(
        string connectionString,
        int connections,
        TimeProvider time,
        ILogger logger,
        CancellationToken ct
    )
    {
        await using var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString
        );
        await connection.OpenAsync(ct);
        if (connection.PostgreSqlVersion.Major < OldestMajor)
            throw new ConfigurationException(
                $"PostgreSQL {OldestMajor} or newer is needed; the server is {connection.PostgreSqlVersion}."
            );
        await using var look = new NpgsqlCommand(
            """
            select current_setting('server_encoding'), clock_timestamp(), current_setting('default_transaction_read_only'), to_regnamespace('public') is null,
                least(current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int,
                    nullif(d.datconnlimit, -1), nullif(r.rolconnlimit, -1)), pg_is_in_recovery(),
                (select min(pronamespace::regnamespace::text) from pg_proc where proname = 'log_head'
                    and to_regclass('public.schema_scripts') is not null
                    and not exists (select from pg_proc where proname = 'log_head' and pronamespace = to_regnamespace('public')))
            from pg_database d, pg_roles r where d.datname = current_database() and r.rolname = current_user
            """,
            connection
        );
        await using var reader = await look.ExecuteReaderAsync(ct);
        await reader.ReadAsync(ct);
        if (reader.GetString(0) is not "UTF8" and var encoding)
            throw new ConfigurationException(
                $"The database has the encoding {encoding}, in which many texts cannot be kept. "
                    + "Create one with \"encoding 'UTF8' template template0\"."
            );
        var difference = time.GetUtcNow() - reader.GetFieldValue<DateTimeOffset>(1);
        if (difference.Duration() > MostClockDifference)
            throw new ConfigurationException(
                $"The clock of this machine is {difference.Duration().TotalSeconds:F0} s "
                    + $"{(difference > TimeSpan.Zero ? "ahead of" : "behind")} that of PostgreSQL. Set the clocks by NTP."
            );
        if (difference.Duration() > KeptClockDifference)
            logger.LogWarning(
                "The clock of this machine differs from that of PostgreSQL by {Seconds:F1} s: nodes whose clocks differ so "
                    + "much are slower to see which others have died",
                difference.Duration().TotalSeconds
            );
        if (reader.GetString(2) is "on" && !reader.GetBoolean(5))
            throw new ConfigurationException(
                "The database is read-only for this account. Run 'alter database … set default_transaction_read_only = off'."
            );
        if (reader.GetBoolean(3))
            throw new ConfigurationException("The database has no schema named public. Run 'create schema public'.");
        if (reader.TextOrNull(6) is { } elsewhere)
            throw new ConfigurationException(
                $"Tables of Resources are in the schema {elsewhere}, where the search path of an earlier start has put them. "
                    + $"Move them: run 'alter table {elsewhere}.… set schema public', and the same for views and functions."
            );
        if (reader.GetInt32(4) is var allowed && allowed < connections)
            logger.LogWarning(
                "PostgreSQL allows {Allowed} connections, and this node may open {Connections}. "
                    + "Raise max_connections, or lower Database__MaxPoolSize",
                allowed,
                connections
            );
    }
}
