using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Resources.Silo;

// A headless node: grains and projections, no HTTP.
return await ProgramEnd.RunAsync(async () =>
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

    using var logs = builder.CreateStartupLogs();
    var migrates = args.Contains("migrate");
    await using var database = await NodeDatabase.OpenAsync(settings, NodeFeature.All, logs, migrates);
    if (migrates)
        return 0;
    await database.ClaimAsync(settings.Read<ClusterOptions>("Cluster").ClusterId);
    builder.Services.AddSingleton(database);
    await builder.Build().RunAsync();
    return 0;
});
