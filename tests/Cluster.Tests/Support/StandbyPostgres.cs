using Resources.Silo;

namespace Resources.Cluster.Tests;

/// <summary>A standby of a <see cref="StoppablePostgres"/>, on a port of its own.</summary>
internal sealed class StandbyPostgres(PostgresAccount account, string control, string location, int port)
    : IAsyncDisposable
{
    bool runs;

    public int Port => port;

    public async Task StartAsync()
    {
        await ControlAsync(
            $"""start -l "$2/server.log" -o "-c listen_addresses=127.0.0.1 -c port={port} -c max_connections=200 -c unix_socket_directories=" """
        );
        runs = true;
    }

    public async Task StopAsync()
    {
        await ControlAsync("stop -m fast");
        runs = false;
    }

    /// <summary>Makes it the primary, on a new time line.</summary>
    public Task PromoteAsync() => ControlAsync("promote");

    public async ValueTask DisposeAsync()
    {
        if (runs)
            await ControlAsync("stop -m immediate");
    }

    Task ControlAsync(string arguments) => StoppablePostgres.ControlAsync(account, control, location, arguments);
}
