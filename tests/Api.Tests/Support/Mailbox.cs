using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;

namespace Resources.Api.Tests;

/// <summary>An SMTP server that accepts and keeps every mail.</summary>
sealed partial class Mailbox : IAsyncDisposable
{
    readonly TcpListener listener = new(IPAddress.Loopback, 0);
    readonly ConcurrentQueue<string> mails = new();
    readonly Task serving;
    int endless;

    /// <param name="endless">So many connections are greeted for ever, a line a second.</param>
    public Mailbox(int endless = 0)
    {
        this.endless = endless;
        listener.Start();
        serving = ServeAsync();
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    /// <summary>Options of a server that sends its mails here, with links to <c>https://app.example.org</c>.</summary>
    public (string Key, string Value)[] ServerOptions =>
        [("Mail:Host", "127.0.0.1"), ("Mail:Port", $"{Port}"), ("Mail:LinkBase", "https://app.example.org")];

    public int Count => mails.Count;

    /// <summary>Waits for a mail to an address, and removes it.</summary>
    public async Task<string> MailToAsync(string address, int seconds = 20)
    {
        string? found = null;
        await Eventually.HoldsAsync(
            () =>
            {
                for (var i = mails.Count; i > 0 && found is null && mails.TryDequeue(out var mail); i--)
                    if (mail.Contains("To: " + address, StringComparison.OrdinalIgnoreCase))
                        found = mail;
                    else
                        mails.Enqueue(mail);
                return Task.FromResult(found is not null);
            },
            TimeSpan.FromSeconds(seconds)
        );
        return found!;
    }

    /// <summary>The token of the link in a mail.</summary>
    public static string Token(string mail) =>
        LinkToken()
            .Match(mail.Replace("=\r\n", "", StringComparison.Ordinal).Replace("=3D", "=", StringComparison.Ordinal))
            .Groups[1]
            .Value;

    public async ValueTask DisposeAsync()
    {
        listener.Stop();
        await serving;
    }

    async Task ServeAsync()
    {
        var clients = new List<Task>();
        try
        {
            while (true)
                clients.Add(TakeAsync(await listener.AcceptTcpClientAsync()));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(clients);
        }
    }

    async Task TakeAsync(TcpClient client)
    {
        using var _ = client;
        using var reader = new StreamReader(client.GetStream(), Encoding.UTF8);
        await using var writer = new StreamWriter(client.GetStream(), new UTF8Encoding(false))
        {
            NewLine = "\r\n",
            AutoFlush = true,
        };
        if (Interlocked.Decrement(ref endless) >= 0)
        {
            await GreetForEverAsync(writer);
            return;
        }
        await writer.WriteLineAsync("220 test");
        while (await reader.ReadLineAsync() is { } line)
        {
            if (line.StartsWith("DATA", StringComparison.OrdinalIgnoreCase))
            {
                await writer.WriteLineAsync("354 go on");
                var mail = new StringBuilder();
                while (await reader.ReadLineAsync() is { } text && text is not ".")
                    mail.Append(text).Append("\r\n");
                mails.Enqueue(mail.ToString());
            }
            await writer.WriteLineAsync(
                line.StartsWith("QUIT", StringComparison.OrdinalIgnoreCase) ? "221 bye" : "250 ok"
            );
        }
    }

    static async Task GreetForEverAsync(StreamWriter writer)
    {
        try
        {
            while (true)
            {
                await writer.WriteLineAsync("220-wait");
                await Task.Delay(TimeSpan.FromSeconds(1));
            }
        }
        catch (IOException)
        {
            // The other side has had enough.
        }
    }

    [GeneratedRegex("#token=([A-Za-z0-9_-]+)")]
    private static partial Regex LinkToken();
}
