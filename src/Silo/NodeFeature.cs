using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Resources.Grains;

namespace Resources.Silo;

/// <summary>What a feature brings to the nodes of a cluster, those without HTTP too.</summary>
public abstract class NodeFeature
{
    /// <summary>Every feature of the product, in the order in which their background services start.</summary>
    public static readonly IReadOnlyList<NodeFeature> All =
    [
        new LogNodeFeature(),
        new FollowersNodeFeature(),
        new AccessNodeFeature(),
        new TypesNodeFeature(),
        new ResourcesNodeFeature(),
        new AccountsNodeFeature(),
        new LimitsNodeFeature(),
        new SubscriptionsNodeFeature(),
        new DocumentsNodeFeature(),
    ];

    /// <summary>
    /// What brings the feature's events, which are its records with an <see cref="EventAttribute"/>, and its SQL
    /// scripts, which are its embedded resources called <c>NNN_name.sql</c>.
    /// </summary>
    public virtual Assembly Assembly => GetType().Assembly;

    /// <summary>The permissions that its endpoints require, beside those of the product.</summary>
    public virtual IReadOnlyList<PermissionKind> Permissions => [];

    /// <summary>Reads the feature's options, and registers what every process of the cluster has of it.</summary>
    public virtual void Add(IServiceCollection services, Settings settings) { }

    /// <summary>Registers what only processes with grains have of it.</summary>
    public virtual void AddToSilo(IServiceCollection services) { }
}

/// <summary>Registrations that features need often.</summary>
public static class NodeServices
{
    /// <summary>Registers a background service that others use, too.</summary>
    public static IServiceCollection AddRunning<T>(this IServiceCollection services)
        where T : class, IHostedService =>
        services.AddSingleton<T>().AddHostedService(provider => provider.GetRequiredService<T>());
}
