using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Resources.Silo;

// A headless node: grains and projections, no HTTP.
var builder = Host.CreateApplicationBuilder(args);
var settings = new Settings(builder.Configuration);
var node = NodeSettings.Read(settings);
settings.ThrowIfFaulty();

using var logs = LoggerFactory.Create(logging => logging.AddConfiguration(builder.Configuration.GetSection("Logging")).AddConsole());
await using var database = await NodeDatabase.OpenAsync(builder.Configuration, node, logs);
builder.AddNode(database, node);
await builder.Build().RunAsync();
