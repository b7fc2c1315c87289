-- Cluster membership, to the contract of Orleans' ADO.NET provider: Orleans looks its statements up in
-- orleansquery by key; the tables behind them are ours. Needs PostgreSQL 15 or newer (see 003).

create table public.orleansquery (
    querykey text primary key,
    querytext text not null
);

-- One row per cluster. Its version decides every membership change: a writer that saw an older one loses.
create table public.orleansmembershipversiontable (
    deploymentid text primary key,
    version integer not null default 0
);

create table public.orleansmembershiptable (
    deploymentid text not null references public.orleansmembershipversiontable on delete cascade,
    address text not null,
    port integer not null,
    generation integer not null,
    siloname text not null,
    hostname text not null,
    status integer not null,
    proxyport integer not null,
    suspecttimes text,
    starttime timestamptz not null,
    iamalivetime timestamptz not null,
    primary key (deploymentid, address, port, generation)
);

insert into public.orleansquery (querykey, querytext) values
('InsertMembershipVersionKey', $q$
    with created as (
        insert into public.orleansmembershipversiontable (deploymentid) values (@DeploymentId)
        on conflict do nothing
        returning 1
    )
    select count(*)::integer from created
$q$),

-- The outer join answers one row of nulls beside the version when there is no member yet.
('MembershipReadAllKey', $q$
    select m.address, m.port, m.generation, m.siloname, m.hostname, m.status, m.proxyport,
           m.suspecttimes, m.starttime, m.iamalivetime, v.version
    from public.orleansmembershipversiontable v
    left join public.orleansmembershiptable m on m.deploymentid = v.deploymentid
    where v.deploymentid = @DeploymentId
$q$),

('MembershipReadRowKey', $q$
    select m.address, m.port, m.generation, m.siloname, m.hostname, m.status, m.proxyport,
           m.suspecttimes, m.starttime, m.iamalivetime, v.version
    from public.orleansmembershipversiontable v
    left join public.orleansmembershiptable m
        on m.deploymentid = v.deploymentid
        and m.address = @Address and m.port = @Port and m.generation = @Generation
    where v.deploymentid = @DeploymentId
$q$),

-- The version row's lock queues writers up; whoever waited re-reads the version and finds that it moved.
('InsertMembershipKey', $q$
    with bumped as (
        update public.orleansmembershipversiontable v
        set version = v.version + 1
        where v.deploymentid = @DeploymentId and v.version = @Version
            and not exists (
                select from public.orleansmembershiptable m
                where m.deploymentid = @DeploymentId
                    and m.address = @Address and m.port = @Port and m.generation = @Generation)
        returning v.deploymentid
    ), added as (
        insert into public.orleansmembershiptable
            (deploymentid, address, port, generation, siloname, hostname, status, proxyport, starttime, iamalivetime)
        select deploymentid, @Address, @Port, @Generation, @SiloName, @HostName, @Status, @ProxyPort, @StartTime, @IAmAliveTime
        from bumped
        returning 1
    )
    select count(*)::integer from added
$q$),

-- The member is locked first: were it removed meanwhile, the version would not move either.
('UpdateMembershipKey', $q$
    with member as (
        select m.deploymentid
        from public.orleansmembershiptable m
        where m.deploymentid = @DeploymentId
            and m.address = @Address and m.port = @Port and m.generation = @Generation
        for no key update
    ), bumped as (
        update public.orleansmembershipversiontable v
        set version = v.version + 1
        from member
        where v.deploymentid = member.deploymentid and v.version = @Version
        returning v.deploymentid
    ), changed as (
        update public.orleansmembershiptable m
        set status = @Status, suspecttimes = @SuspectTimes, iamalivetime = @IAmAliveTime
        from bumped
        where m.deploymentid = bumped.deploymentid
            and m.address = @Address and m.port = @Port and m.generation = @Generation
        returning 1
    )
    select count(*)::integer from changed
$q$),

('UpdateIAmAlivetimeKey', $q$
    update public.orleansmembershiptable
    set iamalivetime = @IAmAliveTime
    where deploymentid = @DeploymentId and address = @Address and port = @Port and generation = @Generation
$q$),

('GatewaysQueryKey', $q$
    select address, proxyport, generation
    from public.orleansmembershiptable
    where deploymentid = @DeploymentId and status = @Status and proxyport > 0
$q$),

('DeleteMembershipTableEntriesKey', $q$
    delete from public.orleansmembershipversiontable where deploymentid = @DeploymentId
$q$),

-- Dead (6) only: a silo that is slow to join must not lose its row.
('CleanupDefunctSiloEntriesKey', $q$
    delete from public.orleansmembershiptable
    where deploymentid = @DeploymentId and status = 6 and iamalivetime < @IAmAliveTime
$q$),

-- Removes the one row that was judged, and only if nobody touched it since.
('CleanupDefunctSiloEntryKey', $q$
    delete from public.orleansmembershiptable
    where deploymentid = @DeploymentId and address = @Address and port = @Port and generation = @Generation
        and status = 6 and starttime = @StartTime and iamalivetime = @IAmAliveTime
        and coalesce(suspecttimes, '') = coalesce(@SuspectTimes, '')
$q$);
