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
            var place = await LookAsync(kept, limit.Token);
            contact.Reached(place);
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

    /// <summary>Checks what the promises of the log rest on, and begins an epoch where the server is a new one.</summary>
    async Task<LogPlace> LookAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        var place = await LogPlace.LookAsync(connection, ct);
        if (place.IsElsewhere)
            throw new StoreUnavailableException(
                "The database that answers is a copy of the one with which the node started. Restart the node."
            );
        if (place.Fault is null && place.BeginsEpoch)
        {
            await LogPlace.BeginEpochAsync(connection, ct);
            place = await LogPlace.LookAsync(connection, ct);
            logger.LogWarning(
                "The log has begun epoch {Epoch}, on time line {Timeline}: the newest events before it may be lost",
                place.Epoch,
                place.Timeline
            );
        }
        if ((place.Fault ?? contact.FaultOf(place)) is { } fault)
            throw new StoreUnavailableException(fault);
        return place;
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
