using Microsoft.Extensions.Hosting;
using Orleans.Runtime;
using Resources.Grains;

namespace Resources.Silo;

/// <summary>Tells grains when other nodes come and go.</summary>
sealed class MembershipWatch(ISiloStatusOracle members, StoreContact contact) : IHostedService, ISiloStatusListener
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        members.SubscribeToSiloStatusEvents(this);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        members.UnSubscribeFromSiloStatusEvents(this);
        return Task.CompletedTask;
    }

    public void SiloStatusChangeNotification(SiloAddress updatedSilo, SiloStatus status)
    {
        if (!updatedSilo.Equals(members.SiloAddress) && status is not (SiloStatus.Created or SiloStatus.Joining))
            contact.MembersChanged();
    }
}
