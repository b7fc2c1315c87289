using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Resources.Grains;

/// <summary>
/// Asks PostgreSQL again and again whether it answers and whether the cluster counts this node in. It keeps its
/// connection: a probe that waited for one would take a pool in use for a database that is away.
/// </summary>
public sealed class StoreProbe(
    DbRoles pools,
    StoreContact contact,
    StoreProbe.Membership membership,
    TimeProvider time,
    ILogger<StoreProbe> logger
) : BackgroundService
{
    /// <summary>Asks whether the cluster still counts this node as a member, over the given connection.</summary>
    public delegate Task<bool> Membership(NpgsqlConnection connection, CancellationToken ct);

    static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(200);
    static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2);

    NpgsqlConnection? kept;
    volatile bool isAsked;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var probe = Task.CompletedTask;
        while (!stoppingToken.IsCancellationRequested)
        {
            if (probe.IsCompleted)
                probe = ProbeAsync(stoppingToken);
            else if (isAsked)
                contact.LoseIfSilent();
            await Task.Delay(PollInterval, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        await probe;
        await DropAsync();
    }

    async Task ProbeAsync(CancellationToken ct)
    {
        try
        {
            kept ??= await pools.Control.OpenAsync(ct);
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
            limit.CancelAfter(Timeout);
            var asked = contact.Asked();
            isAsked = true;
            contact.Answered(asked, await membership(kept, limit.Token));
        }
        catch (StoreOverloadedException e)
        {
            logger.LogWarning("PostgreSQL was not asked: {Reason}", e.Message);
        }
        catch (Exception e) when (!ct.IsCancellationRequested)
        {
            pools.Clear();
            await DropAsync();
            if (e is not OperationCanceledException)
                contact.Lose(e.Message);
        }
        catch (OperationCanceledException)
        {
            // The node stops.
        }
        finally
        {
            isAsked = false;
        }
    }

    async ValueTask DropAsync()
    {
        if (kept is { } connection)
        {
            kept = null;
            await connection.DisposeAsync();
        }
    }
}
