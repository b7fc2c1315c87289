using System.Threading.Channels;
using MailKit.Net.Smtp;
using MailKit.Security;
using MimeKit;
using Resources.Silo;

namespace Resources.Api;

/// <summary>A mail of ours.</summary>
/// <param name="Kind">Names it in the log and the outbox.</param>
/// <param name="To">The address.</param>
public sealed record Letter(string Kind, string To, string Subject, string Text);

/// <summary>
/// Sends mails, and does what comes before them, off the path of requests: whether an address is known here shows
/// neither in an answer nor in its time. What waits is lost with the node; whoever asked asks again.
/// </summary>
public sealed class Mailer(
    MailOptions options,
    EmbeddedOptions embedded,
    IHostEnvironment environment,
    TimeProvider time,
    ILogger<Mailer> log
) : BackgroundService
{
    const int MostWaiting = 1_000;
    const int Tries = 3;

    static readonly TimeSpan Rest = TimeSpan.FromSeconds(5);
    static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);

    readonly Channel<Func<Task<Letter?>>> waiting = Channel.CreateBounded<Func<Task<Letter?>>>(MostWaiting);

    /// <summary>Whether mails go anywhere.</summary>
    public bool IsAvailable => options.Host is not null || environment.IsDevelopment();

    /// <summary>Where links lead: the token stands behind a hash, which no browser sends to a server.</summary>
    public string Link(string page, string token) => $"{options.LinkBase.TrimEnd('/')}/{page}#token={token}";

    /// <summary>Has a mail written, where one is to be, and sent.</summary>
    /// <returns>Whether there was room for it.</returns>
    public bool Enqueue(Func<Task<Letter?>> write) => waiting.Writer.TryWrite(write);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await foreach (var write in waiting.Reader.ReadAllAsync(stoppingToken))
                await DoAsync(write, stoppingToken);
        }
        catch (OperationCanceledException)
        {
            // The node stops.
        }
    }

    async Task DoAsync(Func<Task<Letter?>> write, CancellationToken ct)
    {
        Letter? letter = null;
        for (var left = Tries; left > 0 && !ct.IsCancellationRequested; left--)
            try
            {
                letter ??= await write();
                if (letter is not null)
                    await SendAsync(letter, ct);
                return;
            }
            catch (Exception e) when (!ct.IsCancellationRequested)
            {
                // Servers repeat addresses in what they answer: only the kind of the fault is told.
                log.LogWarning("A mail ({Kind}) was not sent: {Fault}", letter?.Kind, e.GetType().Name);
                if (left > 1)
                    await Task.Delay(Rest, time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
    }

    async Task SendAsync(Letter letter, CancellationToken ct)
    {
        if (options.Host is null)
        {
            var file = OwnerFile.Write(
                Path.Combine(
                    embedded.DataDirectory,
                    "outbox",
                    $"{time.GetUtcNow():yyyyMMdd-HHmmssfff}-{letter.Kind}.txt"
                ),
                $"To: {letter.To}\nSubject: {letter.Subject}\n\n{letter.Text}\n"
            );
            log.LogInformation("A mail ({Kind}) lies in {File}", letter.Kind, file);
            return;
        }
        using var message = new MimeMessage
        {
            Subject = letter.Subject,
            Body = new TextPart("plain") { Text = letter.Text },
        };
        message.From.Add(MailboxAddress.Parse(options.From));
        message.To.Add(MailboxAddress.Parse(letter.To));
        // The client's own timeout holds for each step, and a slow server has many.
        using var timely = CancellationTokenSource.CreateLinkedTokenSource(ct);
        timely.CancelAfter(Longest);
        ct = timely.Token;
        using var client = new SmtpClient();
        var isNear = options.Host is "localhost" or "127.0.0.1" or "::1";
        await client.ConnectAsync(
            options.Host,
            options.Port,
            isNear ? SecureSocketOptions.StartTlsWhenAvailable
                : options.Port is 465 ? SecureSocketOptions.SslOnConnect
                : SecureSocketOptions.StartTls,
            ct
        );
        if (options.User is not null)
            await client.AuthenticateAsync(options.User, options.Password ?? "", ct);
        await client.SendAsync(message, ct);
        await client.DisconnectAsync(quit: true, ct);
    }
}
