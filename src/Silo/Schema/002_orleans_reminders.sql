-- Reminders, to the contract of Orleans' ADO.NET provider. Hashes are signed 32-bit numbers on a ring.

create table public.orleansreminderstable (
    serviceid text not null,
    grainid text not null,
    remindername text not null,
    starttime timestamptz not null,
    period bigint not null,
    grainhash integer not null,
    version integer not null default 0,
    primary key (serviceid, grainid, remindername)
);

create index orleansreminderstable_by_hash on public.orleansreminderstable (serviceid, grainhash);

insert into public.orleansquery (querykey, querytext) values
('UpsertReminderRowKey', $q$
    insert into public.orleansreminderstable as r
        (serviceid, grainid, remindername, starttime, period, grainhash)
    values (@ServiceId, @GrainId, @ReminderName, @StartTime, @Period, @GrainHash)
    on conflict (serviceid, grainid, remindername) do update
    set starttime = excluded.starttime, period = excluded.period, grainhash = excluded.grainhash, version = r.version + 1
    returning r.version
$q$),

('ReadReminderRowsKey', $q$
    select grainid, remindername, starttime, period, version
    from public.orleansreminderstable
    where serviceid = @ServiceId and grainid = @GrainId
$q$),

('ReadReminderRowKey', $q$
    select grainid, remindername, starttime, period, version
    from public.orleansreminderstable
    where serviceid = @ServiceId and grainid = @GrainId and remindername = @ReminderName
$q$),

('ReadRangeRows1Key', $q$
    select grainid, remindername, starttime, period, version
    from public.orleansreminderstable
    where serviceid = @ServiceId and grainhash > @BeginHash and grainhash <= @EndHash
$q$),

-- The range that wraps around the end of the ring.
('ReadRangeRows2Key', $q$
    select grainid, remindername, starttime, period, version
    from public.orleansreminderstable
    where serviceid = @ServiceId and (grainhash > @BeginHash or grainhash <= @EndHash)
$q$),

('DeleteReminderRowKey', $q$
    with deleted as (
        delete from public.orleansreminderstable
        where serviceid = @ServiceId and grainid = @GrainId and remindername = @ReminderName and version = @Version
        returning 1
    )
    select count(*)::integer from deleted
$q$),

('DeleteReminderRowsKey', $q$
    delete from public.orleansreminderstable where serviceid = @ServiceId
$q$);
