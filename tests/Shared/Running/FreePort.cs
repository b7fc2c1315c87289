using System.Net;
using System.Net.Sockets;

namespace Resources.Tests;

/// <summary>A port of the loopback interface that nobody listens on.</summary>
static class FreePort
{
    /// <summary>Finds one. Another program may take it before its user does.</summary>
    public static int Find()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
