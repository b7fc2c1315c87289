using System.ComponentModel.DataAnnotations;
using Resources.Silo;

namespace Resources.Api;

/// <summary>Section <c>Shutdown</c>.</summary>
public sealed class ShutdownOptions
{
    /// <summary>
    /// After SIGTERM a node goes on serving for this long, not ready and closing connections as it answers, so that
    /// balancers and clients move away. null = 3, and 0 in Development, where there are none.
    /// </summary>
    [Range(0, 600)]
    public int? DrainSeconds { get; set; }
}

/// <summary>
/// A stop that fails no request: first unready and polite, then the listener closes, then the silo leaves.
/// </summary>
public sealed class Draining(ShutdownOptions options, StopSignal stop, TimeProvider time, ILogger<Draining> logger)
    : IHostedLifecycleService
{
    public bool IsDraining => stop.IsBegun;

    /// <summary>Middleware: while draining, every answer asks its client to take a new connection, elsewhere.</summary>
    public Task CloseConnectionsAsync(HttpContext context, RequestDelegate next)
    {
        if (IsDraining)
            context.Response.Headers.Connection = "close";
        return next(context);
    }

    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        logger.LogInformation("Stopping; a second Ctrl-C ends the node at once");
        await stop.BeginAsync();
        await Task.Delay(TimeSpan.FromSeconds(options.DrainSeconds ?? 0), time, cancellationToken)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
