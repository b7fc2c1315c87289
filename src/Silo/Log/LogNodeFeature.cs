using Marten;
using Microsoft.Extensions.DependencyInjection;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Silo;

/// <summary>The log: appending to it, reading it, and news of it.</summary>
sealed class LogNodeFeature : NodeFeature
{
    public override void Add(IServiceCollection services, Settings settings) =>
        services
            .AddSingleton<Signal>()
            .AddSingleton<Snapshots>()
            .AddRunning<LogNews>()
            .AddSingleton<EventFeed>()
            .AddRunning<LogTail>()
            .AddSingleton<LogQueries>()
            .AddSingleton<ReadIndex>()
            .AddSingleton<StoreContact>()
            .AddRunning<StoreProbe>();

    public override void AddToSilo(IServiceCollection services)
    {
        services
            .AddMarten(provider =>
            {
                var options = new StoreOptions();
                MartenSetup.Configure(options, provider.GetRequiredService<EventKinds>());
                provider.GetRequiredService<LogDb>().Serve(options);
                return options;
            })
            .UseLightweightSessions();
        services.AddRunning<EventLog>().AddHostedService<UnchangedCommandSweep>();
    }
}
