using System.Net;

namespace Resources.Api;

/// <summary>
/// Which refusals of each minute are noted, and how many are not. Those of guests are half of them at most, and a
/// neighbourhood has as many of these as some callers: else one host with many addresses could keep others out.
/// </summary>
public sealed class RefusalSample(AuditOptions options, TimeProvider time)
{
    /// <summary>A neighbourhood has as many refusals as so many callers.</summary>
    const int CallersOfNeighbourhood = 4;

    readonly Lock gate = new();
    readonly Dictionary<string, int> callers = [];
    long minute;
    int taken;
    int ofGuests;
    long leftOut;
    long toTell;

    /// <summary>Whether a refusal of a caller who is signed in is to be noted; one that is not is counted.</summary>
    public bool Takes(string caller)
    {
        lock (gate)
        {
            Begin();
            var before = callers.GetValueOrDefault(caller);
            if (taken >= options.RefusalsPerNode || before >= options.RefusalsPerCaller)
            {
                leftOut++;
                return false;
            }
            taken++;
            callers[caller] = before + 1;
            return true;
        }
    }

    /// <summary>The same of a guest.</summary>
    public bool TakesOfGuest(IPAddress? address)
    {
        var network = $"network {Networks.Of(address)}";
        var neighbourhood = $"neighbourhood {Networks.Neighbourhood(address)}";
        lock (gate)
        {
            Begin();
            var near = callers.GetValueOrDefault(neighbourhood);
            if (
                ofGuests >= (options.RefusalsPerNode + 1) / 2
                || near >= options.RefusalsPerCaller * CallersOfNeighbourhood
            )
            {
                leftOut++;
                return false;
            }
            if (!Takes(network))
                return false;
            ofGuests++;
            callers[neighbourhood] = near + 1;
            return true;
        }
    }

    /// <summary>Counts refusals that were to be noted, and were not.</summary>
    public void LeaveOut(long count = 1)
    {
        lock (gate)
            leftOut += count;
    }

    /// <summary>How many were left out until the minute before this one; they are told once.</summary>
    public long TakeLeftOut()
    {
        lock (gate)
        {
            Begin();
            var told = toTell;
            toTell = 0;
            return told;
        }
    }

    void Begin()
    {
        if (Minute() is var now && now == minute)
            return;
        minute = now;
        toTell += leftOut;
        leftOut = 0;
        taken = ofGuests = 0;
        callers.Clear();
    }

    long Minute() => time.GetUtcNow().ToUnixTimeSeconds() / 60;
}
