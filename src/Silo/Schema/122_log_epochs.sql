-- Epochs of the log: which server's log this is. A promoted standby and a restored dump may lack the newest events, and would draw their
-- positions again. So each begins an epoch: positions go on far beyond any that was ever handed out, under the log's lock and before any append.

create table log_epochs (
    epoch int primary key,
    -- Null for the log as it was begun; after a restore, what tells its cluster from that of the original.
    lineage uuid,
    system_identifier bigint not null,
    database oid not null,
    timeline int not null,
    began_after bigint not null,
    at timestamptz not null default clock_timestamp()
);

-- The time line on which the server writes. Right after a promotion pg_control_checkpoint() still names the one before.
create function server_timeline() returns int language sql volatile parallel safe
as $$ select ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::int $$;

insert into log_epochs (epoch, system_identifier, database, timeline, began_after)
select 1, system_identifier, (select oid from pg_database where datname = current_database()), server_timeline(), head from pg_control_system(), log_head();

-- What a node checks of its server, again and again. The time line of a standby is none, as it writes nothing.
create function log_place(out epoch int, out lineage uuid, out is_standby boolean, out is_elsewhere boolean, out known_timeline int, out timeline int, out cache bigint)
language plpgsql volatile as $$
begin
    is_standby := pg_is_in_recovery();
    if not is_standby then timeline := server_timeline(); end if;
    select e.epoch, e.lineage, e.timeline, e.system_identifier <> s.system_identifier or e.database <> d.oid into epoch, lineage, known_timeline, is_elsewhere
    from log_epochs e, pg_control_system() s, pg_database d where d.datname = current_database() order by e.epoch desc limit 1;
    select seqcache into cache from pg_sequence where seqrelid = 'mt_events_sequence'::regclass;
end $$;

-- Begins an epoch where the server's time line, or the server itself, is another one than that of the newest. Returns the newest epoch.
create function begin_log_epoch() returns int language plpgsql as $$
declare
    place record;
    last_position bigint;
    moved_to bigint;
    log_stream constant uuid := '00000000-0000-8000-8000-00006c6f6700';
    stream_version bigint;
begin
    perform pg_advisory_xact_lock(7238163);
    select * into place from log_place();
    if place.is_elsewhere is false and place.timeline <= place.known_timeline then return place.epoch; end if;

    select head into last_position from log_head();
    select setval('mt_events_sequence', greatest(last_position, last_value) + 10000000) into moved_to from mt_events_sequence;
    insert into log_epochs (epoch, lineage, system_identifier, database, timeline, began_after)
    select place.epoch + 1, case when place.is_elsewhere then gen_random_uuid() else place.lineage end, system_identifier,
        (select oid from pg_database where datname = current_database()), place.timeline, last_position
    from pg_control_system();

    -- The event says what may be lost, in the place from which on nothing is.
    insert into mt_streams (id, version, timestamp, created) values (log_stream, 1, clock_timestamp(), clock_timestamp())
    on conflict (id) do update set version = mt_streams.version + 1, timestamp = clock_timestamp() returning version into stream_version;
    insert into mt_events (seq_id, id, stream_id, version, data, type, timestamp, mt_dotnet_type, user_name)
    values (nextval('mt_events_sequence'), gen_random_uuid(), log_stream, stream_version,
        jsonb_build_object('epoch', place.epoch + 1, 'lastPosition', last_position)
            || case when place.is_elsewhere then '{}' else jsonb_build_object('from', place.known_timeline, 'to', place.timeline) end,
        case when place.is_elsewhere then 'log.restored' else 'log.timeline_changed' end, clock_timestamp(),
        'Resources.Grains.' || case when place.is_elsewhere then 'LogRestored' else 'LogTimelineChanged' end || ', Resources.Grains', 'system');
    return place.epoch + 1;
end $$;

-- With the rights of who owns the tables, as functions of read models; who may call it is granted (docs/OPERATIONS.md).
do $$
begin
    alter function begin_log_epoch() security definer;
    execute format('alter function begin_log_epoch() set search_path = %I, pg_temp', current_schema());
    revoke all on function begin_log_epoch() from public;
end $$;

-- As before, and it checks what its promises rest on.
create or replace function append_events(stream_ids uuid[], expected_versions bigint[], event_counts int[], command_ids text[], actors text[], correlation_ids text[], command_headers jsonb[], event_streams int[], event_ids uuid[], event_types text[], clr_types text[], bodies jsonb[])
returns table(ordinal bigint, appended boolean, version bigint, positions bigint[], appended_at timestamptz)
language plpgsql
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set jit = off
set lock_timeout = '2s'
as $$
#variable_conflict use_column
declare
    moment timestamptz;
    currents bigint[];
    accepted boolean[];
    times timestamptz[];
    drawn bigint[];
    last_position bigint;
begin
    perform pg_advisory_xact_lock(7238163);
    if server_timeline() is distinct from (select timeline from log_epochs order by epoch desc limit 1) then
        raise exception 'The server is on a new time line, on which no epoch of the log has begun.' using errcode = 'LG001';
    end if;
    -- A crash of the server must not lose what was acknowledged.
    if current_setting('synchronous_commit') = 'off' then perform set_config('synchronous_commit', 'on', true); end if;
    select head into last_position from log_head();
    if pg_sequence_last_value('mt_events_sequence') < last_position then
        raise exception 'The sequence of positions was set back behind %.', last_position using errcode = 'LG002';
    end if;
    moment := clock_timestamp();

    select array_agg(coalesce(s.version, 0) order by a.ordinal),
        array_agg(coalesce(s.version, 0) = a.expected and s.is_archived is not true order by a.ordinal),
        array_agg(greatest(moment, s.timestamp) order by a.ordinal)
    into currents, accepted, times
    from unnest(stream_ids, expected_versions) with ordinality a(stream_id, expected, ordinal)
    left join lateral (select version, timestamp, is_archived from mt_streams where id = a.stream_id limit 1) s on true;

    insert into mt_streams (id, version, timestamp, created)
    select stream_id, event_count, at, at
    from unnest(stream_ids, event_counts, currents, accepted, times) a(stream_id, event_count, current, ok, at)
    where ok and current = 0;

    update mt_streams s set version = a.current + a.event_count, timestamp = a.at
    from unnest(stream_ids, event_counts, currents, accepted, times) a(stream_id, event_count, current, ok, at)
    where s.id = a.stream_id and a.ok and a.current > 0;

    with written as (
        insert into mt_events (seq_id, id, stream_id, version, data, type, timestamp, mt_dotnet_type, correlation_id, causation_id, headers, user_name)
        select nextval('mt_events_sequence'), event_id, stream_ids[stream], expected_versions[stream] + nth, body, event_type, times[stream], clr_type,
            correlation_ids[stream], command_ids[stream], command_headers[stream], actors[stream]
        from (
            select e.*, row_number() over (partition by e.stream order by e.ordinal) as nth
            from unnest(event_streams, event_ids, event_types, clr_types, bodies) with ordinality
                e(stream, event_id, event_type, clr_type, body, ordinal)
            where accepted[e.stream]
            order by e.ordinal
        ) numbered
        returning seq_id
    )
    select array_agg(seq_id order by seq_id) into drawn from written;
    -- As with blocks of numbers by session.
    if drawn[1] <= last_position then
        raise exception 'The position % was drawn behind %.', drawn[1], last_position using errcode = 'LG002';
    end if;
    -- A commit that writes nothing waits for no standby, though what it says was written before may not be there yet.
    if drawn is null then
        if exists (select from mt_events e where e.stream_id = any (stream_ids) and e.id = any (event_ids)) then
            perform pg_logical_emit_message(true, 'resources', 'repeated');
        end if;
    end if;

    return query
    select a.ordinal, a.ok or earlier.positions is not null,
        case when a.ok or earlier.positions is not null then a.expected + a.event_count else a.current end,
        case when a.ok then drawn[(a.before_accepted + 1)::int : (a.before_accepted + a.event_count)::int] else earlier.positions end,
        case when a.ok then a.at else earlier.at end
    from (
        select u.*,
            sum(u.event_count) over w - u.event_count as before,
            sum(case when u.ok then u.event_count else 0 end) over w - case when u.ok then u.event_count else 0 end as before_accepted
        from unnest(stream_ids, expected_versions, event_counts, currents, accepted, times) with ordinality
            u(stream_id, expected, event_count, current, ok, at, ordinal)
        window w as (order by u.ordinal)
    ) a
    left join lateral (
        select array_agg(seq_id order by version) as positions, min(timestamp) as at
        from mt_events
        where not a.ok and stream_id = a.stream_id and version between a.expected + 1 and a.expected + a.event_count
        having bool_or(id = event_ids[(a.before + 1)::int])
    ) earlier on true
    order by a.ordinal;
end
$$;
