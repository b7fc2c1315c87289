using System.Threading.Channels;
using MailKit.Net.Smtp;
using MailKit.Security;
using MimeKit;
using Resources.Silo;

namespace Resources.Api;

/// <summary>A mail to send.</summary>
/// <param name="Kind">Its name in the log and the outbox.</param>
/// <param name="To">The recipient's address.</param>
public sealed record Letter(string Kind, string To, string Subject, string Text);

/// <summary>
/// Prepares and sends mails off the request path, so that timing reveals nothing about accounts. Queued mails are lost
/// if the node stops; the user has to request them again.
/// </summary>
public sealed class Mailer(
    MailOptions options,
    EmbeddedOptions embedded,
    IHostEnvironment environment,
    TimeProvider time,
    ILogger<Mailer> logger
) : BackgroundService
{
    const int MaxWaiting = 1_000;
    const int MaxTries = 3;

    static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(5);
    static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    readonly Channel<Func<Task<Letter?>>> waiting = Channel.CreateBounded<Func<Task<Letter?>>>(MaxWaiting);

    /// <summary>Whether the node can send mail.</summary>
    public bool IsAvailable => options.Host is not null || environment.IsDevelopment();

    /// <summary>The URL of a link. The token is in the fragment, which browsers do not send to servers.</summary>
    public string Link(string page, string token) => $"{options.LinkBase.TrimEnd('/')}/{page}#token={token}";

    /// <summary>Queues a mail to write and send; the function may decide that none is needed.</summary>
    /// <returns>Whether the queue had room.</returns>
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
            // The node is stopping.
        }
    }

    async Task DoAsync(Func<Task<Letter?>> write, CancellationToken ct)
    {
        Letter? letter = null;
        for (var left = MaxTries; left > 0 && !ct.IsCancellationRequested; left--)
            try
            {
                letter ??= await write();
                if (letter is not null)
                    await SendAsync(letter, ct);
                return;
            }
            catch (Exception e) when (!ct.IsCancellationRequested)
            {
                // Mail servers repeat addresses in their errors, so only the type of the fault is logged.
                logger.LogWarning("A mail ({Kind}) was not sent: {Fault}", letter?.Kind, e.GetType().Name);
                if (left > 1)
                    await Task.Delay(RetryDelay, time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
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
            logger.LogInformation("A mail ({Kind}) lies in {File}", letter.Kind, file);
            return;
        }
        using var message = new MimeMessage
        {
            Subject = letter.Subject,
            Body = new TextPart("plain") { Text = letter.Text },
        };
        message.From.Add(MailboxAddress.Parse(options.From));
        message.To.Add(MailboxAddress.Parse(letter.To));
        // The client's own timeout applies to each step; this one bounds all of them.
        using var timely = CancellationTokenSource.CreateLinkedTokenSource(ct);
        timely.CancelAfter(Timeout);
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
