using Microsoft.Extensions.Hosting;
using Resources.Silo;

// A headless node: grains and projections, no HTTP.
try
{
    var builder = Host.CreateApplicationBuilder(args);
    builder.AddLogging();

    var settings = new Settings(builder.Configuration);
    var node = NodeSettings.Read(settings, builder.Environment);
    settings.Require(
        node.Cluster.Role is not NodeRole.Client,
        "Cluster:Role: a client has no grains; it is a role of src/Api."
    );
    settings.ThrowIfFaulty();

    using var logs = builder.CreateStartupLogs();
    await using var database = await NodeDatabase.OpenAsync(builder.Configuration, node, logs);
    builder.AddNode(database, node);
    await builder.Build().RunAsync();
    return 0;
}
catch (ConfigurationException e)
{
    Console.Error.WriteLine(e.Message);
    return 1;
}
