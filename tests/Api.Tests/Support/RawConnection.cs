using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;

namespace Resources.Api.Tests;

/// <summary>A connection that sends bytes as they are given, and keeps what comes back.</summary>
sealed partial class RawConnection : IDisposable
{
    // Far longer than anything is waited for that succeeds.
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    readonly TcpClient client;
    readonly StringBuilder received = new();
    readonly byte[] buffer = new byte[16 * 1024];

    /// <summary>Null where the server refused the connection.</summary>
    readonly NetworkStream? stream;

    RawConnection(TcpClient client, bool isRefused)
    {
        this.client = client;
        stream = isRefused ? null : client.GetStream();
    }

    /// <summary>What has come so far, read as Latin-1.</summary>
    public string Received => received.ToString();

    /// <summary>The statuses of the answers so far.</summary>
    public int[] Statuses => [.. Status().Matches(Received).Select(match => int.Parse(match.Groups[1].Value, null))];

    /// <param name="from">The address of the client, one of the loopback interface.</param>
    public static async Task<RawConnection> OpenAsync(Uri address, string from = "127.0.0.1")
    {
        var client = new TcpClient(new IPEndPoint(IPAddress.Parse(from), 0)) { NoDelay = true };
        try
        {
            await client.ConnectAsync(IPAddress.Loopback, address.Port, TestContext.Current.CancellationToken);
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionReset)
        {
            // The server took it and closed it before the client knew that it was taken.
            return new(client, isRefused: true);
        }
        return new(client, isRefused: false);
    }

    /// <summary>Sends a text as Latin-1. A server that has closed takes nothing more.</summary>
    public async Task SendAsync(string text)
    {
        if (stream is null)
            return;
        try
        {
            await stream.WriteAsync(Encoding.Latin1.GetBytes(text), TestContext.Current.CancellationToken);
        }
        catch (IOException)
        {
            // What the server has said before can still be read.
        }
    }

    /// <summary>Reads until it is enough, or until the server closes.</summary>
    /// <returns>Whether it was enough.</returns>
    public async Task<bool> ReadUntilAsync(Func<bool> isEnough)
    {
        if (stream is null)
            return isEnough();
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        enough.CancelAfter(Patience);
        while (!isEnough())
        {
            int length;
            try
            {
                length = await stream.ReadAsync(buffer, enough.Token);
            }
            catch (IOException)
            {
                return false;
            }
            if (length is 0)
                return false;
            received.Append(Encoding.Latin1.GetString(buffer, 0, length));
        }
        return true;
    }

    /// <summary>The status of the first answer; 0 if the server closes without one.</summary>
    public async Task<int> StatusAsync() => await ReadUntilAsync(() => Statuses is not []) ? Statuses[0] : 0;

    /// <summary>Forgets what has come so far.</summary>
    public void Forget() => received.Clear();

    /// <summary>Reads until the server closes.</summary>
    public Task ReadToEndAsync() => ReadUntilAsync(() => false);

    public void Dispose() => client.Dispose();

    [GeneratedRegex(@"HTTP/1\.[01] (\d{3}) ")]
    private static partial Regex Status();
}
