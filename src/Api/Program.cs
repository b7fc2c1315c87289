using Resources.Api;
using Resources.Silo;

try
{
    var builder = WebApplication.CreateBuilder(args);
    builder.AddLogging();

    var settings = new Settings(builder.Configuration);
    var node = NodeSettings.Read(settings, builder.Environment);
    var api = ApiSettings.Read(settings, node, builder.Environment);
    settings.ThrowIfFaulty();

    using var logs = builder.CreateStartupLogs();
    await using var database = await NodeDatabase.OpenAsync(builder.Configuration, node, logs);
    if (args is ["migrate"])
    {
        await database.MigrateAsync();
        return 0;
    }

    builder.AddNode(database, node);
    builder.AddEdge(api);
    builder.AddTelemetry();
    builder.Services.AddApiDescription();

    await using var app = builder.Build();
    app.UseEdge();
    app.MapHealth();
    app.MapMetrics();
    app.MapApiDescription();
    app.MapKeySet();

    var v1 = app.MapApi();
    v1.MapAuth();
    v1.MapRecovery();
    v1.MapMfa();
    v1.MapPasskeys();
    v1.MapAccounts();
    v1.MapSessions();
    v1.MapApiKeys();
    v1.MapRoles();
    v1.MapExplain();
    v1.MapAudit();
    v1.MapResources();
    v1.MapEvents();
    v1.MapSubscriptions();
    v1.MapFollowers();
    v1.MapSigningKeys();

    await app.RunAsync();
    return 0;
}
catch (ConfigurationException e)
{
    Console.Error.WriteLine(e.Message);
    return 1;
}
