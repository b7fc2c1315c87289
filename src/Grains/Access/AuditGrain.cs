using Orleans.Concurrency;

namespace Resources.Grains;

[StatelessWorker, Reentrant]
sealed class AuditGrain(EventLog log) : Grain, IAuditGrain
{
    public async Task<bool> Note(AuditEvent happened, Intent intent)
    {
        // Null where the command is sent again, and was appended before.
        await log.AppendAsync(intent.CommandId, 0, [happened], intent);
        return true;
    }
}
