using Resources.Grains;

namespace Resources.Silo;

/// <summary>Lets each caller have a few costly reads under way; further ones of the same caller wait for their turn.</summary>
/// <param name="width">Reads of one caller at a time.</param>
/// <param name="patience">How long one waits.</param>
sealed class CallerLanes(int width, TimeSpan patience)
{
    readonly Dictionary<Guid, Lane> lanes = [];

    /// <exception cref="StoreOverloadedException">The caller has had too many under way for too long.</exception>
    public async Task<T> RunAsync<T>(Guid caller, Func<Task<T>> work)
    {
        var lane = Enter(caller);
        try
        {
            if (!await lane.Turns.WaitAsync(patience))
                throw new StoreOverloadedException("You have too many reads of the past under way.");
            try
            {
                return await work();
            }
            finally
            {
                lane.Turns.Release();
            }
        }
        finally
        {
            Leave(caller, lane);
        }
    }

    Lane Enter(Guid caller)
    {
        lock (lanes)
        {
            if (!lanes.TryGetValue(caller, out var lane))
                lanes[caller] = lane = new(new SemaphoreSlim(width));
            lane.Visitors++;
            return lane;
        }
    }

    void Leave(Guid caller, Lane lane)
    {
        lock (lanes)
            if (--lane.Visitors is 0)
                lanes.Remove(caller);
    }

    sealed record Lane(SemaphoreSlim Turns)
    {
        public int Visitors { get; set; }
    }
}
