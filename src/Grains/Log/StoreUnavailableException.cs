using System.Net.Sockets;
using Npgsql;

namespace Resources.Grains;

/// <summary>
/// PostgreSQL could not be reached in time. A write that ends so has an unknown outcome and may be sent again with its
/// key.
/// </summary>
/// <param name="cause">Told by its message alone: the driver's exceptions do not travel between nodes.</param>
[GenerateSerializer, Alias("store-unavailable")]
public class StoreUnavailableException(string message, Exception? cause = null)
    : Exception(cause is null ? message : $"{message} ({cause.Message})")
{
    /// <summary>
    /// Whether a fault of the driver, Marten or a timer means that the store is away, and not that a statement is
    /// wrong.
    /// </summary>
    public static bool Explains(Exception? fault) =>
        fault switch
        {
            null => false,
            StoreUnavailableException or SocketException or TimeoutException or IOException => true,
            // 08 connection, 53 resources, 57 operator intervention (shutdown, start-up, cancelled by timeout), 25006
            // read-only (a demoted primary)
            PostgresException { SqlState: var state } => state.StartsWith("08", StringComparison.Ordinal)
                || state.StartsWith("53", StringComparison.Ordinal)
                || state.StartsWith("57", StringComparison.Ordinal)
                // LG: the log refuses the server for now.
                || state.StartsWith("LG", StringComparison.Ordinal)
                || state is "25006" or "55P03" or "40001" or "40P01",
            NpgsqlException => true,
            AggregateException { InnerExceptions: var inner } => inner.Any(Explains),
            _ => Explains(fault.InnerException),
        };
}
