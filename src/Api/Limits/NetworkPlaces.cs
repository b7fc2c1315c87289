using System.Net;

namespace Resources.Api;

/// <summary>WebSockets that have not said yet whose they are: so many of a network, and so many of the node.</summary>
public sealed class WaitingSockets(OverloadOptions options)
{
    readonly AddressShares places = new(
        options.MaxWaitingSockets,
        options.MaxWaitingSocketsPerAddress,
        Math.Max(options.MaxWaitingSocketsPerAddress, options.MaxWaitingSocketsPerNeighbourhood)
    );

    /// <summary>Lets one in; null if its network or the node has too many.</summary>
    public NetworkPlace? Enter(HttpContext context) => NetworkPlace.Take(places, context.Connection.RemoteIpAddress);
}

/// <summary>Clients to which a public document is on its way: so many of a network, and so many of the node.</summary>
public sealed class DocumentReaders
{
    /// <summary>Those of one address.</summary>
    public const int OfAddress = 64;

    /// <summary>A client that has not read it all by then is gone, or means harm.</summary>
    public static readonly TimeSpan TimeToRead = TimeSpan.FromSeconds(60);

    readonly AddressShares places = new(total: 512, OfAddress, ofNeighbourhood: 128);

    /// <summary>Lets one in; null if its network or the node has too many.</summary>
    public NetworkPlace? Enter(HttpContext context) => NetworkPlace.Take(places, context.Connection.RemoteIpAddress);
}

/// <summary>A place that is held until it is given back.</summary>
public sealed class NetworkPlace : IDisposable
{
    readonly AddressShares places;
    readonly IPAddress? address;
    int left;

    NetworkPlace(AddressShares places, IPAddress? address)
    {
        this.places = places;
        this.address = address;
    }

    /// <summary>Takes one; null if there is none.</summary>
    internal static NetworkPlace? Take(AddressShares places, IPAddress? address) =>
        places.TryTake(address) ? new(places, address) : null;

    public void Dispose()
    {
        if (Interlocked.Exchange(ref left, 1) is 0)
            places.Return(address);
    }
}
