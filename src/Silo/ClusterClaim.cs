using System.Net;
using System.Net.Sockets;
using Npgsql;
using Orleans.Runtime;
using Resources.Grains;

namespace Resources.Silo;

/// <summary>
/// A database belongs to one cluster: nodes of two would each go on remembering what the other has changed. The last
/// claim holds, and whoever loses one ends (<see cref="NodeAddress.MembershipOf"/>).
/// </summary>
static class ClusterClaim
{
    /// <summary>Members say every second that they are alive. Their times are compared only with each other.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(250);

    /// <summary>Members that live have said so by then, and the others are asked themselves.</summary>
    static readonly TimeSpan AskAfter = TimeSpan.FromSeconds(1.5);

    /// <summary>
    /// Checks that the members of the own cluster, as the database has them, are on this database. Those of a copy of its
    /// files are not: they live, and say so elsewhere.
    /// </summary>
    /// <exception cref="StoreUnavailableException">
    /// One lives and does not say so here. It may also hang, so that another start may succeed.
    /// </exception>
    public static async Task RefuseCopyAsync(NpgsqlConnection connection, string cluster, CancellationToken ct)
    {
        var silent = await LookAsync();
        var isAsked = false;
        for (var waited = Poll; silent.Count > 0 && waited <= Patience; waited += Poll)
        {
            await Task.Delay(Poll, ct);
            var now = await LookAsync();
            silent = silent.Where(member => now.GetValueOrDefault(member.Key) == member.Value).ToDictionary();
            if (isAsked || waited < AskAfter)
                continue;
            isAsked = true;
            var asked = silent.Keys.Select(async member => (member, Listens: await ListensAsync(member, ct)));
            foreach (var (member, listens) in await Task.WhenAll(asked))
                if (!listens)
                    silent.Remove(member);
        }
        if (silent.Keys.FirstOrDefault() is { } other)
            throw new StoreUnavailableException(
                $"A node of cluster '{cluster}' listens at {other}, but is not on this database. If the database is a copy, "
                    + "set Cluster__ClusterId to another name, or stop the original; if the node hangs, start again."
            );

        async Task<Dictionary<IPEndPoint, DateTime>> LookAsync() =>
            (await MembersAsync(connection, ct))
                .Where(member => member.Cluster == cluster && member.Status is SiloStatus.Active)
                .GroupBy(member => member.Place, (place, members) => (place, members.Max(each => each.Alive)))
                .ToDictionary();
    }

    static async Task<List<Member>> MembersAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var look = new NpgsqlCommand(
            "select deploymentid, address, port, status, iamalivetime from orleansmembershiptable where status <> $1",
            connection
        );
        look.Parameters.Add(Arg.Of((int)SiloStatus.Dead));
        await using var reader = await look.ExecuteReaderAsync(ct);
        var members = new List<Member>();
        while (await reader.ReadAsync(ct))
            members.Add(
                new(
                    reader.GetString(0),
                    new(IPAddress.Parse(reader.GetString(1)), reader.GetInt32(2)),
                    (SiloStatus)reader.GetInt32(3),
                    reader.GetDateTime(4)
                )
            );
        return members;
    }

    static async Task<bool> ListensAsync(IPEndPoint member, CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(TimeSpan.FromSeconds(1));
        using var socket = new Socket(member.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(member, limit.Token);
            return true;
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException && !ct.IsCancellationRequested)
        {
            return false;
        }
    }

    /// <summary>Claims the database for a cluster.</summary>
    /// <param name="isMember">Whether the process is a member; a client only looks.</param>
    /// <exception cref="ConfigurationException">Nodes of another cluster are alive on it.</exception>
    public static async Task TakeAsync(NpgsqlConnection connection, string cluster, bool isMember, CancellationToken ct)
    {
        var first = await LookAsync();
        // Those that were killed are in the table as before; a copy of a database has the members of its original.
        for (var waited = Poll; first.Count > 0 && waited <= Patience; waited += Poll)
        {
            await Task.Delay(Poll, ct);
            foreach (var (other, alive) in await LookAsync())
                if (!first.TryGetValue(other, out var before) || alive > before)
                    throw new ConfigurationException(
                        $"Nodes of the cluster '{other}' run on this database, and a database has one cluster. "
                            + $"Set Cluster__ClusterId to '{other}', or stop those nodes."
                    );
        }
        if (!isMember)
            return;
        // Members that are gone are forgotten: the next start need not wait for them.
        await using var claim = new NpgsqlCommand(
            """
            with forgotten as (delete from orleansmembershipversiontable where deploymentid = any ($2))
            insert into database_cluster (cluster_id) values ($1)
            on conflict (singleton) do update set cluster_id = excluded.cluster_id, claimed_at = now()
            """,
            connection
        );
        claim.Parameters.Add(Arg.Of(cluster));
        claim.Parameters.Add(Arg.Of(first.Keys.ToArray()));
        await claim.ExecuteNonQueryAsync(ct);

        async Task<Dictionary<string, DateTime>> LookAsync() =>
            (await MembersAsync(connection, ct))
                .Where(member => member.Cluster != cluster)
                .GroupBy(member => member.Cluster, (other, members) => (other, members.Max(each => each.Alive)))
                .ToDictionary();
    }

    /// <summary>A member of a cluster that is not known to be dead.</summary>
    /// <param name="Alive">When it last said that it is alive, by its own clock.</param>
    sealed record Member(string Cluster, IPEndPoint Place, SiloStatus Status, DateTime Alive);
}
