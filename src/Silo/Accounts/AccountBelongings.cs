using Resources.Grains;

namespace Resources.Silo;

/// <summary>
/// What an account has beside its resources: API keys and subscriptions. They end with it, and so do the names that its
/// owner gave them.
/// </summary>
sealed class AccountBelongings(ReadsDb db, IGrainFactory grains)
{
    /// <summary>Commands that are sent at once.</summary>
    const int BatchSize = 50;

    /// <summary>Ends all of them; may be repeated.</summary>
    public async Task EndAsync(Guid account, Intent intent)
    {
        // They are the owner's words. Those of subscriptions go with each of them.
        await db.ExecuteAsync(
            """
            update mt_events set data = jsonb_set(data, '{name}', '""') where type = 'api_key.created' and data ->> 'account' = $1::text and data ->> 'name' <> ''
            """,
            [Arg.Of(account)]
        );
        var subscriptions = await ReadAsync(
            "select id from subscriptions where owner = $1 and state <> 'creating'",
            account
        );
        await SendAsync(subscriptions, intent, (id, sent) =>
            grains.GetGrain<ISubscriptionSettingsGrain>(id).Execute(new DeleteSubscription(), sent)
        );
        var keys = await ReadAsync(
            """
            select s.stream_id from mt_events s where s.type = 'api_key.created' and s.data ->> 'account' = $1::text
                and not exists (select from mt_events r where r.stream_id = s.stream_id and r.type = 'api_key.revoked')
            """,
            account
        );
        await SendAsync(keys, intent, (id, sent) =>
            grains.GetGrain<IApiKeyGrain>(id).Execute(new RevokeApiKey(), sent)
        );
    }

    static async Task SendAsync(List<Guid> ids, Intent intent, Func<Guid, Intent, Task> send)
    {
        foreach (var batch in ids.Chunk(BatchSize))
            await Task.WhenAll(batch.Select(id => send(id, intent with { CommandId = Guid.CreateVersion7() })));
    }

    Task<List<Guid>> ReadAsync(string sql, Guid account) =>
        db.QueryAsync(sql, [Arg.Of(account)], reader => reader.GetGuid(0));
}
