using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Resources.Grains;
using Resources.Silo;

// A headless node: grains and projections, no HTTP.
return await ProgramEnd.RunAsync(async stop =>
{
    var builder = Host.CreateApplicationBuilder(args);
    builder.AddLogging();

    var settings = new Settings(builder.Configuration, builder.Environment);
    builder.AddNode(settings, NodeFeature.All);
    settings.Ensure(
        settings.Read<ClusterOptions>("Cluster").Role is not NodeRole.Client,
        "Cluster:Role: a client has no grains; it is a role of src/Api."
    );
    settings.ThrowIfFaulty();

    var migrates = args.Contains("migrate");
    var renews = args.Contains(SecretStore.Command);
    var cluster = settings.Read<ClusterOptions>("Cluster");
    // Before anything is made: a database, an administrator.
    if (!migrates && !renews)
        cluster.EnsureFree();

    using var logs = builder.CreateStartupLogs();
    await using var database = await NodeDatabase.OpenAsync(settings, NodeFeature.All, logs, migrates, stop);
    if (migrates)
        return 0;
    builder.Services.AddSingleton(database);
    using var host = builder.Build();
    var secrets = host.Services.GetRequiredService<SecretStore>();
    await host.Services.GetRequiredService<StoreStart>().ReadAsync("secrets", secrets.OpenAsync, stop);
    if (renews)
        return await secrets.RenewAsync(Console.Out, stop);
    await database.ClaimAsync(cluster);
    await host.RunAsync(stop);
    return 0;
});
