using System.Text.Json.Serialization;
using Resources.Grains;
using Resources.Silo;

namespace Resources.Api;

/// <summary>The server: a node of the cluster with the HTTP interface of its features.</summary>
public static class Server
{
    /// <summary>Every feature of the product, in the order of the reference.</summary>
    public static readonly IReadOnlyList<Feature> Features =
    [
        new ResourcesFeature(),
        new TypesFeature(),
        new GraphFeature(),
        new EventsFeature(),
        new SubscriptionsFeature(),
        new SignInFeature(),
        new AccountsFeature(),
        new AccessFeature(),
        new TokensFeature(),
        new MailFeature(),
        new LimitsFeature(),
        new OperationsFeature(),
    ];

    /// <summary>
    /// Runs a server until it is told to stop; with the argument <c>migrate</c>, applies the schema, and with
    /// <c>rotate-master-key</c> changes the master key.
    /// </summary>
    /// <param name="features"><see cref="Features"/>, and those of an application.</param>
    /// <returns>The exit code of the process.</returns>
    public static Task<int> RunAsync(string[] args, IReadOnlyList<Feature> features) =>
        ProgramEnd.RunAsync(async stop =>
        {
            var builder = WebApplication.CreateBuilder(args);
            builder.AddLogging();
            IReadOnlyList<NodeFeature> nodeFeatures =
            [
                .. NodeFeature.All,
                .. features.Select(feature => feature.Node).OfType<NodeFeature>(),
            ];
            var settings = builder.AddServer(features, nodeFeatures);
            settings.ThrowIfFaulty();
            var migrates = args.Contains("migrate");
            var renews = args.Contains(SecretStore.Command);
            // Before anything is made: a database, an administrator.
            var cluster = settings.Read<ClusterOptions>("Cluster");
            if (!migrates && !renews)
            {
                Pipeline.EnsureFree(builder.Configuration, settings.IsDevelopment);
                cluster.EnsureFree();
            }

            using var logs = builder.CreateStartupLogs();
            await using var database = await NodeDatabase.OpenAsync(settings, nodeFeatures, logs, migrates, stop);
            if (migrates)
                return 0;
            builder.Services.AddSingleton(database);

            await using var app = builder.Build();
            var secrets = app.Services.GetRequiredService<SecretStore>();
            await app.Services.GetRequiredService<StoreStart>().ReadAsync("secrets", secrets.OpenAsync, stop);
            if (renews)
                return await secrets.RenewAsync(Console.Out, stop);
            await database.ClaimAsync(cluster);
            if (cluster.Role is NodeRole.Client)
                logs.CreateLogger("Resources")
                    .LogInformation("Waiting for a node of cluster {Cluster}", cluster.ClusterId);
            app.UsePipeline();
            app.MapFeatures(features);
            // Not its own RunAsync, which cannot be asked to stop before it listens.
            await HostingAbstractionsHostExtensions.RunAsync(app, stop);
            return 0;
        });

    static Settings AddServer(
        this WebApplicationBuilder builder,
        IReadOnlyList<Feature> features,
        IReadOnlyList<NodeFeature> nodeFeatures
    )
    {
        var settings = new Settings(builder.Configuration, builder.Environment);
        builder.AddNode(settings, nodeFeatures);
        settings.Ensure(
            settings.Read<ClusterOptions>("Cluster").Role is not NodeRole.Silo,
            "Cluster:Role: a silo serves no HTTP; run src/Silo for it."
        );
        builder
            .Services.AddSingleton(features)
            .AddSingleton(
                new AnswerJson([
                    HttpJson.Default,
                    .. features.Select(feature => feature.Json).OfType<JsonSerializerContext>(),
                ])
            );
        builder.AddPipeline(settings);
        foreach (var feature in features)
            feature.Add(builder.Services, settings);
        builder.AddTelemetry(settings);
        builder.Services.AddApiDescription();
        return settings;
    }

    static void MapFeatures(this WebApplication app, IReadOnlyList<Feature> features)
    {
        app.MapApiDescription();
        var api = app.MapApi();
        foreach (var feature in features)
            feature.Map(app, api);
    }
}
