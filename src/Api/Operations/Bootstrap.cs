using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Api;

/// <summary>The first start: signing keys, the first administrator, and the lines that a newcomer reads.</summary>
public sealed class Bootstrap(
    BootstrapOptions options,
    AccountOptions registration,
    EmbeddedOptions embedded,
    SigningKeys keys,
    StoreStart start,
    AccountQueries queries,
    Accounts accounts,
    Passwords passwords,
    IServer server,
    IHostEnvironment environment,
    ILogger<Bootstrap> logger
) : IHostedLifecycleService
{
    string? password;

    string PasswordFile => Path.GetFullPath(Path.Combine(embedded.DataDirectory, "admin-password"));

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await start.ReadAsync("signing keys", keys.LoadAsync, cancellationToken);
        if (await start.ReadAsync("accounts", ct => queries.AnyAsync(ct), cancellationToken))
            return;
        var chosen = options.AdminPassword ?? RandomNumberGenerator.GetString("abcdefghjkmnpqrstuvwxyz23456789", 20);
        var (_, created) = await accounts.RegisterAsync(
            new(
                options.AdminEmail,
                await passwords.HashAsync(chosen, HashCaller.Node),
                [RoleBook.Administrator],
                EmailVerified: true
            ),
            Intent.OfNode()
        );
        if (created.Rejection is null && options.AdminPassword is null)
            Tell(chosen);
    }

    public Task StartedAsync(CancellationToken cancellationToken)
    {
        var url = server.Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault() ?? "http://localhost:8080";
        logger.LogInformation("Resources listens at {Url}, its documentation is at {Docs}", url, url + "/docs");
        if (registration.OpensResources)
            logger.LogWarning(
                "Anybody may register here, and then read every resource; Accounts__DefaultRoles__0=author shows them only their own"
            );
        if (password is null && !environment.IsDevelopment())
            return Task.CompletedTask;
        var text = new StringBuilder(
            $"""

            Resources is ready after {Seconds()} s; Ctrl-C stops it
              API       {url}/api/v1
              Docs      {url}/docs

            """
        );
        if (environment.IsDevelopment())
        {
            text.AppendLine($"  Data      {Path.GetFullPath(embedded.DataDirectory)}");
            if (EmbeddedFolders.Advice(embedded.DataDirectory) is { } advice)
                text.AppendLine($"            {advice}");
            if (File.Exists(PasswordFile))
                text.AppendLine($"  Password  of the first administrator: {PasswordFile}");
        }
        if (password is not null)
            text.AppendLine(
                $$"""

                Try it:
                  curl -s {{url}}/api/v1/auth/login -H 'content-type: application/json' -d '{"email":"{{options.AdminEmail}}","password":"{{password}}"}'
                """
            );
        Console.WriteLine(text);
        password = null;
        return Task.CompletedTask;
    }

    static string Seconds()
    {
        using var self = Process.GetCurrentProcess();
        return (DateTime.Now - self.StartTime).TotalSeconds.ToString("F1", CultureInfo.InvariantCulture);
    }

    /// <summary>
    /// Tells the password as soon as it counts, whatever becomes of the rest of the start: on the console and not in
    /// the log, which is kept. On a developer's machine a file that only its owner can read keeps it, so that scripts
    /// find it.
    /// </summary>
    void Tell(string first)
    {
        password = first;
        var kept = environment.IsDevelopment() ? OwnerFile.Write(PasswordFile, first) : null;
        Console.WriteLine(
            $"""

            The first administrator
              Admin     {options.AdminEmail}
              Password  {first}   ({(kept is null ? "shown once: keep it" : "kept in " + kept)})
            """
        );
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
