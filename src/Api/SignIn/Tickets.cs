using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Resources.Grains;

namespace Resources.Api;

/// <summary>Things that were begun and have to be ended soon, once: each by a random name.</summary>
public sealed class Tickets(IClusterClient cluster)
{
    const int NameBytes = 32;

    /// <summary>The length of a ticket's name.</summary>
    public const int NameLength = 43;

    /// <summary>Begins something; returns its name.</summary>
    public async Task<string> BeginAsync(byte[] content, TimeSpan life, int tries)
    {
        var name = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(NameBytes));
        await ClusterCalls.SendAsync(async _ =>
        {
            await Grain(name).Begin(content, life, tries);
            return true;
        });
        return name;
    }

    /// <summary>
    /// What was begun by a name, for one more try to end it; null when there is nothing, or not any more.
    /// </summary>
    public async Task<byte[]?> TryAsync(string name) =>
        name.Length is NameLength && Base64Url.IsValid(name)
            ? await ClusterCalls.SendAsync(_ => Grain(name).Try())
            : null;

    /// <summary>Ends it; false when it was ended already.</summary>
    public Task<bool> EndAsync(string name) => ClusterCalls.SendAsync(_ => Grain(name).End());

    /// <summary>
    /// By a hash of the name: keys of grains stand in traces and logs, and who has the name can go on.
    /// </summary>
    ITicketGrain Grain(string name) =>
        cluster.GetGrain<ITicketGrain>(Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(name))));
}
