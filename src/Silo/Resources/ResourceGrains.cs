using Orleans.Runtime;
using Resources.Grains;

namespace Resources.Silo;

/// <summary>
/// References to the grains of resources. <c>GetGrain</c> spells the name of their interface and looks it up at each call,
/// which is a twentieth of what a read costs. Here it is done once.
/// </summary>
public sealed class ResourceGrains(IGrainFactory grains)
{
    // Only an attempt that succeeds is kept: the first may come before the cluster has said who has such grains.
    readonly Lazy<GrainReference> any = new(
        () => (GrainReference)grains.GetGrain<IResourceGrain>(Guid.Empty),
        LazyThreadSafetyMode.PublicationOnly
    );

    public IResourceGrain this[Guid id]
    {
        get
        {
            var (type, @interface) = (any.Value.GrainId.Type, any.Value.InterfaceType);
            return (IResourceGrain)
                grains.GetGrain(GrainId.Create(type, GrainIdKeyExtensions.CreateGuidKey(id)), @interface);
        }
    }
}
