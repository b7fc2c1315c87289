using Resources.Grains;

namespace Resources.Api;

/// <summary>Sends commands to the caller's own account.</summary>
static class OwnAccount
{
    public static Task<Reply<Account>> ExecuteAsync(HttpContext context, IClusterClient cluster, AccountCommand command)
    {
        var account = context.Caller().Account;
        return ClusterCalls.SendAsync(context.Intend(), sent =>
            cluster.GetGrain<IAccountGrain>(account).Execute(command, sent)
        );
    }

    /// <summary>Executes a command; answers 204, or its rejection.</summary>
    public static async Task<Answer> ChangeAsync(HttpContext context, IClusterClient cluster, AccountCommand command)
    {
        var reply = await ExecuteAsync(context, cluster, command);
        return reply.Rejection is { } rejection ? rejection : Answer.Empty();
    }
}
