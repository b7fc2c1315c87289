-- Grain state kept by Orleans itself (subscriptions of streams; resources live in the event log), to the contract
-- of Orleans' ADO.NET provider.

create table public.orleansstorage (
    grainidhash integer not null,
    grainidn0 bigint not null,
    grainidn1 bigint not null,
    graintypehash integer not null,
    graintypestring text not null,
    grainidextensionstring text,
    serviceid text not null,
    payloadbinary bytea,
    modifiedon timestamptz not null default now(),
    version integer not null,
    -- Two first writes at once must not both win. The extension is null for most grains, and by default nulls never
    -- collide; NULLS NOT DISTINCT is why PostgreSQL 15 is the oldest that serves.
    constraint orleansstorage_key unique nulls not distinct
        (grainidhash, graintypehash, grainidn0, grainidn1, serviceid, graintypestring, grainidextensionstring)
);

insert into public.orleansquery (querykey, querytext) values
-- No version means a first write. No row in the answer means that another writer was there before.
('WriteToStorageKey', $q$
    with updated as (
        update public.orleansstorage
        set payloadbinary = @PayloadBinary, modifiedon = now(), version = version + 1
        where grainidhash = @GrainIdHash and graintypehash = @GrainTypeHash
            and grainidn0 = @GrainIdN0 and grainidn1 = @GrainIdN1
            and serviceid = @ServiceId and graintypestring = @GrainTypeString
            and grainidextensionstring is not distinct from @GrainIdExtensionString
            and version = @GrainStateVersion
        returning version
    ), inserted as (
        insert into public.orleansstorage
            (grainidhash, grainidn0, grainidn1, graintypehash, graintypestring, grainidextensionstring, serviceid,
             payloadbinary, version)
        select @GrainIdHash, @GrainIdN0, @GrainIdN1, @GrainTypeHash, @GrainTypeString, @GrainIdExtensionString, @ServiceId,
               @PayloadBinary, 1
        where @GrainStateVersion is null
        on conflict do nothing
        returning version
    )
    select version as newgrainstateversion from updated
    union all
    select version from inserted
$q$),

('ReadFromStorageKey', $q$
    select payloadbinary, version
    from public.orleansstorage
    where grainidhash = @GrainIdHash and graintypehash = @GrainTypeHash
        and grainidn0 = @GrainIdN0 and grainidn1 = @GrainIdN1
        and serviceid = @ServiceId and graintypestring = @GrainTypeString
        and grainidextensionstring is not distinct from @GrainIdExtensionString
$q$),

('ClearStorageKey', $q$
    update public.orleansstorage
    set payloadbinary = null, modifiedon = now(), version = version + 1
    where grainidhash = @GrainIdHash and graintypehash = @GrainTypeHash
        and grainidn0 = @GrainIdN0 and grainidn1 = @GrainIdN1
        and serviceid = @ServiceId and graintypestring = @GrainTypeString
        and grainidextensionstring is not distinct from @GrainIdExtensionString
        and version = @GrainStateVersion
    returning version as newgrainstateversion
$q$),

-- The answer must differ from the version that was passed, hence the one more.
('DeleteStorageKey', $q$
    delete from public.orleansstorage
    where grainidhash = @GrainIdHash and graintypehash = @GrainTypeHash
        and grainidn0 = @GrainIdN0 and grainidn1 = @GrainIdN1
        and serviceid = @ServiceId and graintypestring = @GrainTypeString
        and grainidextensionstring is not distinct from @GrainIdExtensionString
        and version = @GrainStateVersion
    returning version + 1 as newgrainstateversion
$q$);
