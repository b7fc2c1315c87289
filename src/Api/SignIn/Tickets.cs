using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Resources.Grains;

namespace Resources.Api;

/// <summary>Short-lived, single-use tickets with random names.</summary>
public sealed class Tickets(IClusterClient cluster)
{
    const int NameBytes = 32;

    /// <summary>The length of a ticket's name.</summary>
    public const int NameLength = 43;

    /// <summary>Creates a ticket; returns its name.</summary>
    /// <param name="tries">Bounds the calls of <see cref="TryAsync"/>.</param>
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
    /// Takes one of a ticket's tries; returns its content, or null if the ticket is unknown, expired or used up.
    /// </summary>
    public async Task<byte[]?> TryAsync(string name) =>
        name.Length is NameLength && Base64Url.IsValid(name)
            ? await ClusterCalls.SendAsync(_ => Grain(name).Try())
            : null;

    /// <summary>Ends a ticket; false if it has ended already.</summary>
    public Task<bool> EndAsync(string name) => ClusterCalls.SendAsync(_ => Grain(name).End());

    /// <summary>
    /// Keyed by a hash of the name: grain keys appear in traces and logs, and the name alone completes the login.
    /// </summary>
    ITicketGrain Grain(string name) =>
        cluster.GetGrain<ITicketGrain>(Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(name))));
}
