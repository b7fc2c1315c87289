namespace Resources.Tests;

/// <summary>Checks the order in which events were delivered.</summary>
static class DeliveryOrder
{
    /// <summary>
    /// Each resource's versions, in the order of their first delivery, run from 1 without a gap. Repeated deliveries
    /// are allowed.
    /// </summary>
    public static void Check(IEnumerable<(string Resource, long Version)> delivered, int versions) =>
        Assert.All(delivered.GroupBy(each => each.Resource), resource =>
            Assert.Equal(
                Enumerable.Range(1, versions).Select(version => (long)version),
                resource.Select(each => each.Version).Distinct()
            )
        );
}
