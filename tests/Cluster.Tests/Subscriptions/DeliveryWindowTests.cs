using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Cluster.Tests;

/// <summary>
/// Whatever consumers do, and whenever the node dies, every event is settled. None is delivered before its predecessors
/// of the same resource.
/// </summary>
[Trait("Conformance", "I5")]
public sealed class DeliveryWindowTests
{
    static readonly DateTimeOffset Start = new(2026, 1, 31, 12, 0, 0, TimeSpan.Zero);

    static readonly Guid[] Resources = [.. Enumerable.Range(1, 4).Select(i => new Guid(i, 0, 0, new byte[8]))];

    [Fact]
    public void Random_consumers_and_crashes_lose_and_reorder_nothing()
    {
        // The last ones have found something once.
        foreach (var seed in Enumerable.Range(0, 2_000).Append(3_670))
            new Story(seed).Run();
    }

    sealed class Story(int seed)
    {
        readonly Random random = new(seed);
        readonly List<LogEvent> log = [];
        readonly List<LogEvent> acked = [];
        DateTimeOffset now = Start;
        (long Position, Dictionary<Guid, ParkedResource> Parked) stored = (0, []);
        DeliveryWindow window = new(0, [], new Dictionary<long, Guid>());
        List<(Guid Lease, DeliveryItem Item)> taken = [];

        public void Run()
        {
            for (var position = 1; position <= 40; position++)
                log.Add(
                    new(
                        position * 10,
                        Guid.CreateVersion7(),
                        "resource.renamed",
                        Resources[random.Next(Resources.Length)],
                        position,
                        now,
                        "",
                        null,
                        JsonText.Empty,
                        "t",
                        "o"
                    )
                );
            for (var step = 0; step < 400; step++)
                Step(isOver: false);
            for (
                var step = 0;
                acked.Distinct().Count() < log.Count || window.Parked > 0 || window.Position < log[^1].Position;
                step++
            )
            {
                Assert.True(step < 5_000, $"Seed {seed}: {log.Count - acked.Distinct().Count()} events are lost.");
                Step(isOver: true);
            }
        }

        void Step(bool isOver)
        {
            now += TimeSpan.FromSeconds(1);
            switch (random.Next(isOver ? 6 : 10))
            {
                case 0 when log.FirstOrDefault(logged => logged.Position > window.Reached) is { } next:
                    window.Add(next);
                    break;
                case 0:
                    window.Reach(log[^1].Position);
                    break;
                case 1 or 2:
                    Take();
                    break;
                case 3 or 4 when Pick() is var (lease, item):
                    if (window.Ack(lease, item))
                        acked.Add(item.Event);
                    break;
                case 5:
                    CatchUp(isOver);
                    break;
                case 6 when Pick() is var (lease, item):
                    window.Nack(lease, item, now + TimeSpan.FromSeconds(random.Next(3)));
                    break;
                case 7 when Pick() is var (lease, item):
                    window.Park(
                        lease,
                        item,
                        random.Next(3) is 0 ? null : now + TimeSpan.FromSeconds(random.Next(5)),
                        "",
                        now
                    );
                    break;
                case 8:
                    Save();
                    break;
                case 9 when random.Next(8) is 0:
                    Crash();
                    break;
                case 9 when random.Next(8) is 0:
                    TakeOver();
                    break;
            }
            Assert.True(window.Position >= stored.Position);
        }

        void Take()
        {
            var lease = Guid.CreateVersion7();
            var batch = window.Take(lease, random.Next(1, 4), long.MaxValue, now);
            Assert.Equal(batch.Select(item => item.Event.Position).Order(), batch.Select(item => item.Event.Position));
            foreach (var item in batch)
            {
                taken.Add((lease, item));
                var before = log.Where(logged =>
                    logged.Resource == item.Event.Resource && logged.Position < item.Event.Position
                );
                Assert.True(
                    before.All(logged => acked.Contains(logged) || batch.Any(other => other.Event == logged)),
                    $"Seed {seed}: {item.Event.Position} was taken before an earlier event was settled."
                );
            }
        }

        (Guid Lease, DeliveryItem Item)? Pick()
        {
            if (taken is [])
                return null;
            var at = random.Next(taken.Count);
            var picked = taken[at];
            taken.RemoveAt(at);
            return picked;
        }

        void CatchUp(bool replay)
        {
            Save();
            // A replay of single resources is a new run whose parked resources are due.
            if (replay && stored.Parked.Values.Any(parked => parked.RetryAt is null))
                Crash(due: true);
            RefillDue(2);
        }

        void RefillDue(int most)
        {
            foreach (var parked in window.Due(now, most))
            {
                var rest = log.Where(logged => logged.Resource == parked.Resource && logged.Position >= parked.Position)
                    .ToArray();
                window.Refill(
                    parked.Resource,
                    rest.Length > 2 ? new(rest[..2], rest[1].Position) : new(rest, log[^1].Position)
                );
            }
        }

        void Save()
        {
            var (position, parked, released) = window.Changes();
            foreach (var each in parked)
                stored.Parked[each.Resource] = each;
            foreach (var each in released)
                stored.Parked.Remove(each);
            stored.Position = position;
        }

        /// <summary>A crash after the leases were stored. They continue.</summary>
        void TakeOver()
        {
            Save();
            var leases = taken.Select(each => each.Lease).Distinct().ToArray();
            var kept = leases
                .SelectMany(lease => window.Leased(lease).Select(item => (item.Event.Position, lease)))
                .ToDictionary();
            window = new(stored.Position, stored.Parked.Values, kept);
            foreach (
                var next in log.Where(logged => logged.Position > stored.Position).TakeWhile(_ => !window.IsRestored)
            )
                window.Add(next);
            RefillDue(Resources.Length);
            taken = [.. leases.SelectMany(lease => window.Leased(lease).Select(item => (lease, item)))];
            var restored = taken.Select(each => each.Item.Event.Position).ToHashSet();
            // Of a resource that catches up, events that come again may have to go first.
            Assert.All(
                log.Where(logged => kept.ContainsKey(logged.Position) && !restored.Contains(logged.Position)),
                logged => Assert.True(stored.Parked.ContainsKey(logged.Resource), $"Seed {seed}")
            );
        }

        void Crash(bool due = false)
        {
            window = new(
                stored.Position,
                stored.Parked.Values.Select(parked => due ? parked with { RetryAt = now } : parked),
                new Dictionary<long, Guid>()
            );
            taken = [];
        }
    }
}
