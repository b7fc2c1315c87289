using Npgsql;

namespace Resources.Silo;

/// <summary>Reads how the database is reached: a connection string of the driver, or a URL as hosting platforms give it.</summary>
static class PostgresUrl
{
    /// <summary>The connection string.</summary>
    /// <param name="given">
    /// <c>Host=…;Database=…</c>, or <c>postgres://user:password@host:port/database?sslmode=require</c>.
    /// </param>
    /// <exception cref="ConfigurationException">It is neither. The message contains no part of it.</exception>
    public static string Read(string given)
    {
        try
        {
            return (
                given.StartsWith("postgres://", StringComparison.Ordinal)
                || given.StartsWith("postgresql://", StringComparison.Ordinal)
                    ? OfUrl(new(given))
                    : new(given)
            ).ConnectionString;
        }
        catch (Exception e) when (e is ArgumentException or FormatException or InvalidCastException)
        {
            throw new ConfigurationException(
                "ConnectionStrings:Resources is neither a connection string (Host=…;Username=…;Password=…;Database=…) "
                    + "nor a URL (postgres://user:password@host:5432/database)."
            );
        }
    }

    static NpgsqlConnectionStringBuilder OfUrl(Uri url)
    {
        var account = url.UserInfo.Split(':', 2);
        var settings = new NpgsqlConnectionStringBuilder
        {
            Host = url.Host,
            Port = url.Port < 0 ? 5432 : url.Port,
            Username = Uri.UnescapeDataString(account[0]),
            Password = account.Length > 1 ? Uri.UnescapeDataString(account[1]) : null,
            Database = Uri.UnescapeDataString(url.AbsolutePath.TrimStart('/')),
        };
        foreach (var part in url.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
            switch (part.Split('=', 2))
            {
                case ["sslmode", var mode]:
                    settings.SslMode = Enum.Parse<SslMode>(mode.Replace("-", ""), ignoreCase: true);
                    break;
                case ["sslrootcert", var file]:
                    settings.RootCertificate = Uri.UnescapeDataString(file);
                    break;
                default:
                    throw new FormatException();
            }
        return settings;
    }
}
