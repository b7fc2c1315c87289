using Marten;
using Microsoft.Extensions.DependencyInjection;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Silo;

/// <summary>The log: appending to it, reading it, and news of it.</summary>
sealed class LogNodeFeature : NodeFeature
{
    /// <summary>Pages of the log that are read at a time, beside what the tail of the log has.</summary>
    const int MaxCatchingUp = 8;

    /// <summary>The same of one account.</summary>
    const int MaxCatchingUpPerCaller = 2;

    public override void Add(IServiceCollection services, Settings settings) =>
        services
            .AddSingleton<Signal>()
            .AddSingleton<Snapshots>()
            .AddSingleton<StreamStates>()
            .AddRunning<LogNews>()
            .AddSingleton(provider => new EventFeed(
                provider.GetRequiredService<LogQueries>(),
                provider.GetRequiredService<LogTail>(),
                provider.GetRequiredService<ReadIndex>(),
                new(MaxCatchingUp, MaxCatchingUpPerCaller, int.MaxValue, provider.GetRequiredService<TimeProvider>()),
                provider.GetRequiredService<ReadMemory>()
            ))
            .AddRunning<LogTail>()
            .AddSingleton(provider => new LogQueries(provider.GetRequiredService<ReadsDb>()))
            .AddSingleton<ReadIndex>()
            .AddSingleton<StoreContact>()
            .AddSingleton<StoreStart>()
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
