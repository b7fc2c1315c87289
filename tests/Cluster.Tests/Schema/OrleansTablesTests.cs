namespace Resources.Cluster.Tests;

/// <summary>The contract of Orleans' ADO.NET providers, checked on the product's own statements.</summary>
public sealed class OrleansTablesTests(OrleansTables tables) : IClassFixture<OrleansTables>
{
    static readonly DateTime Now = new(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc);

    sealed record Silo(string DeploymentId, int Port)
    {
        public string Address { get; } = "10.0.0.1";
        public int Generation { get; } = 7;
        public string SiloName { get; } = "silo";
        public string HostName { get; } = "host";
        public int ProxyPort { get; } = 30000;
        public DateTime StartTime { get; } = Now;
        public DateTime IAmAliveTime { get; init; } = Now;
        public string? SuspectTimes { get; init; }
        public int Status { get; init; } = 3;
        public int Version { get; init; }
    }

    sealed record State(string? GrainIdExtensionString, byte[] PayloadBinary, int? GrainStateVersion)
    {
        public int GrainIdHash { get; } = 1;
        public long GrainIdN0 { get; } = 2;
        public long GrainIdN1 { get; } = 3;
        public int GrainTypeHash { get; } = -4;
        public string GrainTypeString { get; } = "subscriptions";
        public string ServiceId { get; } = "service";
    }

    [Fact]
    public async Task Empty_cluster_returns_its_version_in_one_row()
    {
        var cluster = new Silo("empty", 0);
        Assert.True(await tables.SucceedsAsync("InsertMembershipVersionKey", cluster));
        Assert.False(await tables.SucceedsAsync("InsertMembershipVersionKey", cluster));

        foreach (var key in (string[])["MembershipReadAllKey", "MembershipReadRowKey"])
        {
            var row = Assert.Single(await tables.QueryAsync(key, cluster));
            Assert.Equal(0, row["version"]);
            Assert.Null(row["starttime"]);
        }
    }

    [Fact]
    public async Task Of_silos_that_join_at_the_same_version_exactly_one_succeeds()
    {
        await tables.QueryAsync("InsertMembershipVersionKey", new Silo("joining", 0));

        var results = await Task.WhenAll(
            Enumerable
                .Range(1, 20)
                .Select(port => tables.SucceedsAsync("InsertMembershipKey", new Silo("joining", port)))
        );

        Assert.Single(results, won => won);
        Assert.Equal(
            1,
            Assert.Single(await tables.QueryAsync("MembershipReadAllKey", new Silo("joining", 0)))["version"]
        );
    }

    [Fact]
    public async Task Silo_cannot_join_twice_and_the_version_is_unchanged()
    {
        await JoinAsync("again", 1);

        Assert.False(await tables.SucceedsAsync("InsertMembershipKey", new Silo("again", 1) { Version = 1 }));
        Assert.False(await tables.SucceedsAsync("UpdateMembershipKey", new Silo("again", 2) { Version = 1 }));

        Assert.Equal(
            1,
            Assert.Single(await tables.QueryAsync("MembershipReadAllKey", new Silo("again", 0)))["version"]
        );
    }

    [Fact]
    public async Task Of_updates_at_the_same_version_exactly_one_wins()
    {
        await JoinAsync("updating", 1, 2);

        var results = await Task.WhenAll(
            Enumerable
                .Range(0, 20)
                .Select(n =>
                    tables.SucceedsAsync(
                        "UpdateMembershipKey",
                        new Silo("updating", 1 + (n % 2))
                        {
                            Status = 6,
                            SuspectTimes = $"{n}",
                            Version = 2,
                        }
                    )
                )
        );

        Assert.Single(results, won => won);
        var rows = await tables.QueryAsync("MembershipReadAllKey", new Silo("updating", 0));
        Assert.All(rows, row => Assert.Equal(3, row["version"]));
        Assert.Single(rows, row => row["status"] is 6 && row["suspecttimes"] is not null);
    }

    [Fact]
    public async Task Heartbeat_keeps_the_version_and_only_active_silos_are_gateways()
    {
        await JoinAsync("beating", 1, 2);
        await tables.QueryAsync("UpdateIAmAlivetimeKey", new Silo("beating", 1) { IAmAliveTime = Now.AddMinutes(1) });
        await tables.QueryAsync("UpdateMembershipKey", new Silo("beating", 2) { Status = 6, Version = 2 });

        var row = Assert.Single(await tables.QueryAsync("MembershipReadRowKey", new Silo("beating", 1)));
        Assert.Equal(Now.AddMinutes(1), row["iamalivetime"]);
        Assert.Equal(3, row["version"]);
        Assert.Single(await tables.QueryAsync("GatewaysQueryKey", new Silo("beating", 0)));
    }

    [Fact]
    public async Task Cleanup_removes_only_old_dead_silos()
    {
        await JoinAsync("cleaning", 1, 2, 3);
        await tables.QueryAsync("UpdateMembershipKey", new Silo("cleaning", 1) { Status = 6, Version = 3 });
        await tables.QueryAsync(
            "UpdateMembershipKey",
            new Silo("cleaning", 2)
            {
                Status = 6,
                SuspectTimes = "a,b",
                Version = 4,
            }
        );

        await tables.QueryAsync(
            "CleanupDefunctSiloEntryKey",
            new Silo("cleaning", 1) { IAmAliveTime = Now.AddSeconds(1) }
        );
        await tables.QueryAsync("CleanupDefunctSiloEntryKey", new Silo("cleaning", 2));
        await tables.QueryAsync("CleanupDefunctSiloEntryKey", new Silo("cleaning", 3));
        await tables.QueryAsync("CleanupDefunctSiloEntriesKey", new Silo("cleaning", 0));
        Assert.Equal([1, 2, 3], await PortsAsync("cleaning"));

        await tables.QueryAsync("CleanupDefunctSiloEntryKey", new Silo("cleaning", 1) { SuspectTimes = "" });
        Assert.Equal([2, 3], await PortsAsync("cleaning"));
        await tables.QueryAsync(
            "CleanupDefunctSiloEntriesKey",
            new Silo("cleaning", 0) { IAmAliveTime = Now.AddSeconds(1) }
        );
        Assert.Equal([3], await PortsAsync("cleaning"));

        await tables.QueryAsync("DeleteMembershipTableEntriesKey", new Silo("cleaning", 0));
        Assert.Empty(await tables.QueryAsync("MembershipReadAllKey", new Silo("cleaning", 0)));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("extension")]
    public async Task Of_twenty_first_writes_of_one_state_exactly_one_wins(string? extension)
    {
        var results = await Task.WhenAll(
            Enumerable
                .Range(0, 20)
                .Select(n => tables.QueryAsync("WriteToStorageKey", new State(extension, [(byte)n], null)))
        );

        Assert.Equal(1, Assert.Single(Assert.Single(results, rows => rows.Count > 0))["newgrainstateversion"]);
        Assert.Equal(
            1,
            Assert.Single(await tables.QueryAsync("ReadFromStorageKey", new State(extension, [], null)))["version"]
        );
    }

    [Fact]
    public async Task Write_clear_and_delete_need_the_stored_version()
    {
        await tables.QueryAsync("WriteToStorageKey", new State("versions", [1], null));
        var writes = await Task.WhenAll(
            Enumerable.Range(0, 20).Select(n => tables.QueryAsync("WriteToStorageKey", new State("versions", [2], 1)))
        );
        Assert.Equal(2, Assert.Single(Assert.Single(writes, rows => rows.Count > 0))["newgrainstateversion"]);

        Assert.Empty(await tables.QueryAsync("ClearStorageKey", new State("versions", [], 1)));
        Assert.Equal(
            3,
            Assert.Single(await tables.QueryAsync("ClearStorageKey", new State("versions", [], 2))).Values.First()
        );
        Assert.Null(
            Assert.Single(await tables.QueryAsync("ReadFromStorageKey", new State("versions", [], null)))[
                "payloadbinary"
            ]
        );

        Assert.Empty(await tables.QueryAsync("DeleteStorageKey", new State("versions", [], 2)));
        Assert.Equal(
            4,
            Assert.Single(await tables.QueryAsync("DeleteStorageKey", new State("versions", [], 3))).Values.First()
        );
        Assert.Empty(await tables.QueryAsync("ReadFromStorageKey", new State("versions", [], null)));
    }

    [Fact]
    public async Task Reminder_gets_a_new_version_per_change_and_only_the_latest_can_delete_it()
    {
        async Task<int> UpsertAsync(object row) =>
            (int)Assert.Single(await tables.QueryAsync("UpsertReminderRowKey", row))["version"]!;
        var first = await UpsertAsync(
            new
            {
                ServiceId = "s",
                GrainId = "g",
                ReminderName = "r",
                StartTime = Now,
                Period = 60_000,
                GrainHash = -5,
            }
        );
        var second = await UpsertAsync(
            new
            {
                ServiceId = "s",
                GrainId = "g",
                ReminderName = "r",
                StartTime = Now,
                Period = 6_000_000_000L,
                GrainHash = -5,
            }
        );
        Assert.NotEqual(first, second);

        var stored = Assert.Single(
            await tables.QueryAsync(
                "ReadReminderRowKey",
                new
                {
                    ServiceId = "s",
                    GrainId = "g",
                    ReminderName = "r",
                }
            )
        );
        Assert.Equal((second, 6_000_000_000L), (stored["version"], stored["period"]));
        Assert.False(
            await tables.SucceedsAsync(
                "DeleteReminderRowKey",
                new
                {
                    ServiceId = "s",
                    GrainId = "g",
                    ReminderName = "r",
                    Version = first,
                }
            )
        );
        Assert.True(
            await tables.SucceedsAsync(
                "DeleteReminderRowKey",
                new
                {
                    ServiceId = "s",
                    GrainId = "g",
                    ReminderName = "r",
                    Version = second,
                }
            )
        );
        Assert.Empty(await tables.QueryAsync("ReadReminderRowsKey", new { ServiceId = "s", GrainId = "g" }));
    }

    [Fact]
    public async Task Reminders_are_read_by_ring_ranges_that_exclude_the_start_and_include_the_end()
    {
        foreach (var hash in (int[])[-10, 0, 10])
            await tables.QueryAsync(
                "UpsertReminderRowKey",
                new
                {
                    ServiceId = "ring",
                    GrainId = $"{hash}",
                    ReminderName = "r",
                    StartTime = Now,
                    Period = 1,
                    GrainHash = hash,
                }
            );
        async Task<string> GrainsAsync(string key, int begin, int end) => string.Join(' ', (
                    await tables.QueryAsync(
                        key,
                        new
                        {
                            ServiceId = "ring",
                            BeginHash = begin,
                            EndHash = end,
                        }
                    )
                ).Select(row => row["grainid"]).Order());

        Assert.Equal("0", await GrainsAsync("ReadRangeRows1Key", -10, 0));
        Assert.Equal("-10 10", await GrainsAsync("ReadRangeRows2Key", 0, -10));
        await tables.QueryAsync("DeleteReminderRowsKey", new { ServiceId = "ring" });
        Assert.Equal("", await GrainsAsync("ReadRangeRows2Key", 0, 0));
    }

    async Task JoinAsync(string cluster, params int[] ports)
    {
        await tables.QueryAsync("InsertMembershipVersionKey", new Silo(cluster, 0));
        foreach (var (version, port) in ports.Index())
            Assert.True(
                await tables.SucceedsAsync("InsertMembershipKey", new Silo(cluster, port) { Version = version })
            );
    }

    async Task<List<int>> PortsAsync(string cluster) =>
        [
            .. (await tables.QueryAsync("MembershipReadAllKey", new Silo(cluster, 0)))
                .Select(row => (int)row["port"]!)
                .Order(),
        ];
}
