-- Pages of the log end in the database when their events have so many bytes. Before, it made the text of every event that the page might have had,
-- of which readers took one where events are large. Nodes of the previous release call read_log, which stays for them.

-- As read_log, without the events behind the one with which the data has so many bytes.
create function read_log_page(
    after bigint, scanned int, most int, bytes bigint, of_resource uuid, of_events text[], of_type text, of_owner text, account text, types text[], own boolean,
    own_types text[])
returns table (
    reached bigint, seq_id bigint, id uuid, type text, stream_id uuid, version bigint, at timestamptz, actor text, correlation_id text, data text,
    resource_type text, owner text)
language plpgsql stable
-- Planned once a session, perhaps on an empty log, for a log of any size: along the indexes.
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set enable_sort = off
as $$
#variable_conflict use_column
declare
    behind bigint;
    -- A loop reads rows ahead: their text is made when they are taken.
    stored jsonb;
    found_events int := 0;
    found_bytes bigint := 0;
begin
    if of_resource is null then
        select max(s.seq_id) into reached from (select e.seq_id from mt_events e where e.seq_id > after order by e.seq_id limit scanned) s;
        for seq_id, id, type, stream_id, version, at, actor, correlation_id, stored, resource_type, owner in
            select e.seq_id, e.id, e.type::text, e.stream_id, e.version, e.timestamp, coalesce(e.user_name::text, ''), e.correlation_id::text, e.data, coalesce(f.data ->> 'type', ''), coalesce(f.data ->> 'owner', '')
            from mt_events e left join mt_events f on f.stream_id = e.stream_id and f.version = 1
            where e.seq_id > after and e.seq_id <= reached and is_of_resource(e.type)
                and (of_events is null or e.type = any (of_events)) and (of_type is null or f.data ->> 'type' = of_type)
                and (of_owner is null or f.data ->> 'owner' = of_owner) and is_seen(f.data ->> 'type', f.data ->> 'owner', account, types, own, own_types)
            order by e.seq_id limit most
        loop
            data := stored::text;
            return next;
            found_events := found_events + 1;
            found_bytes := found_bytes + octet_length(data);
            exit when found_bytes >= bytes;
        end loop;
    else
        select e.seq_id into reached from mt_events e order by e.seq_id desc limit 1;
        -- Mostly the position is that of one of its events: then its index leads on from there.
        select e.version into behind from mt_events e where e.seq_id = after and e.stream_id = of_resource;
        for seq_id, id, type, stream_id, version, at, actor, correlation_id, stored, resource_type, owner in
            select e.seq_id, e.id, e.type::text, e.stream_id, e.version, e.timestamp, coalesce(e.user_name::text, ''), e.correlation_id::text, e.data, coalesce(f.data ->> 'type', ''), coalesce(f.data ->> 'owner', '')
            from mt_events e left join mt_events f on f.stream_id = e.stream_id and f.version = 1
            where e.stream_id = of_resource and e.version > coalesce(behind, 0) and e.seq_id > after and e.seq_id <= reached and is_of_resource(e.type)
                and (of_events is null or e.type = any (of_events)) and (of_type is null or f.data ->> 'type' = of_type)
                and (of_owner is null or f.data ->> 'owner' = of_owner) and is_seen(f.data ->> 'type', f.data ->> 'owner', account, types, own, own_types)
            order by e.version limit most
        loop
            data := stored::text;
            return next;
            found_events := found_events + 1;
            found_bytes := found_bytes + octet_length(data);
            exit when found_bytes >= bytes;
        end loop;
    end if;
    if found_events = 0 then return next; end if;
end $$;

-- As before; it made the text of ten events and more before it counted the bytes of the first.
create or replace function read_followed(follower text, beginning text, after bigint, upto bigint, scanned int, most int, bytes int)
returns table (seq_id bigint, id uuid, stream_id uuid, version bigint, type text, at timestamptz, actor text, data text)
language plpgsql stable
-- Planned once a session, perhaps on an empty log, for a log of any size: along the indexes.
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set enable_sort = off
as $$
#variable_conflict use_column
declare
    reach bigint;
    found_bytes int := 0;
    found_events int := 0;
    stored jsonb;
begin
    select case when count(*) < scanned then upto else max(s.seq_id) end into reach
    from (select e.seq_id from mt_events e where e.seq_id > after and e.seq_id <= upto order by e.seq_id limit scanned) s;
    for seq_id, id, stream_id, version, type, at, actor, stored in
        select e.seq_id, e.id, e.stream_id, e.version, e.type::text, e.timestamp, e.user_name::text, e.data from mt_events e
        where e.seq_id > after and e.seq_id <= reach and starts_with(e.type, beginning)
            and not exists (select from skipped_events s where s.follower = read_followed.follower and s.position = e.seq_id)
        order by e.seq_id limit most
    loop
        data := stored::text;
        return next;
        found_events := found_events + 1;
        found_bytes := found_bytes + octet_length(data);
        if found_events = most or found_bytes > bytes then return; end if;
    end loop;
    return query select reach, null::uuid, null::uuid, null::bigint, null::text, null::timestamptz, null::text, null::text;
end $$;
