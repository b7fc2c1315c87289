using System.Security.Cryptography;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Api;

/// <summary>The first start: signing keys, the first administrator, and the lines that a newcomer reads.</summary>
public sealed class Bootstrap(
    ApiSettings settings, SigningKeys keys, AccountQueries accounts, IClusterClient cluster, Passwords passwords,
    IServer server, IHostEnvironment environment, ILogger<Bootstrap> log) : IHostedLifecycleService
{
    readonly BootstrapOptions options = settings.Bootstrap;
    string? printOnce;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await keys.LoadAsync(cancellationToken);
        if (await accounts.AnyAsync(cancellationToken)) return;
        var password = options.AdminPassword ?? RandomNumberGenerator.GetString("abcdefghjkmnpqrstuvwxyz23456789", 20);
        var created = await cluster.GetGrain<IAccountGrain>(Account.IdOf(options.AdminEmail)).Register(options.AdminEmail, passwords.Hash(password), ["admin"]);
        if (created is not null && options.AdminPassword is null) printOnce = password;
    }

    public Task StartedAsync(CancellationToken cancellationToken)
    {
        var url = server.Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault() ?? "http://localhost:8080";
        log.LogInformation("Resources listens at {Url}, its documentation is at {Docs}", url, url + "/docs");
        if (printOnce is null) return Task.CompletedTask;
        // On a developer's machine it is also kept beside the data, readable by its owner alone, so that scripts find it.
        var kept = environment.IsDevelopment() ? OwnerFile.Write(Path.Combine(settings.DataDirectory, "admin-password"), printOnce) : null;
        // Written to the console and not to the log, which is kept.
        Console.WriteLine($"""

            Resources is ready
              API       {url}/api/v1
              Docs      {url}/docs
              Admin     {options.AdminEmail}
              Password  {printOnce}   ({(kept is null ? "shown once: keep it" : "kept in " + kept)})

            Try it:
              curl -s {url}/api/v1/auth/login -H 'content-type: application/json' -d '{$$"""{"email":"{{options.AdminEmail}}","password":"{{printOnce}}"}"""}'

            """);
        printOnce = null;
        return Task.CompletedTask;
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
