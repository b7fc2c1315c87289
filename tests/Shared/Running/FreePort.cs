using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Resources.Tests;

/// <summary>A port of the loopback interface that nobody listens on.</summary>
static class FreePort
{
    static readonly ConcurrentDictionary<int, bool> Given = new();

    /// <summary>
    /// Finds one, below those that the system gives to outgoing connections: one of these could take it before its user
    /// does. None is given twice.
    /// </summary>
    public static int Find()
    {
        while (true)
        {
            var port = Random.Shared.Next(10_240, 32_768);
            if (!Given.TryAdd(port, true))
                continue;
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return port;
            }
            catch (SocketException)
            {
                // Somebody listens there.
            }
        }
    }
}
