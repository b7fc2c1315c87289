-- The log holds events of accounts, sessions, roles and keys too. Those that are not of resources are read by nobody who asks for events, whatever
-- they may see; the position that was looked through to moves past them. What a reader may see is a sight: resources of some types, and of the
-- account's own all or those of some types. Null account = everything.
drop function read_log(bigint, int, int, uuid, text[], text, text, text);

create function is_seen(resource_type text, owner text, account text, types text[], own boolean, own_types text[]) returns boolean
language sql immutable parallel safe
return account is null or resource_type = any (types) or owner = account and (own or resource_type = any (own_types));

create function read_log(
    after bigint, scanned int, most int, of_resource uuid, of_events text[], of_type text, of_owner text, account text, types text[], own boolean, own_types text[])
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
    reach bigint;
    behind bigint;
begin
    if of_resource is null then
        select max(s.seq_id) into reach from (select e.seq_id from mt_events e where e.seq_id > after order by e.seq_id limit scanned) s;
        return query
            select reach, e.seq_id, e.id, e.type::text, e.stream_id, e.version, e.timestamp, coalesce(e.user_name::text, ''), e.correlation_id::text, e.data::text, coalesce(f.data ->> 'type', ''), coalesce(f.data ->> 'owner', '')
            from mt_events e left join mt_events f on f.stream_id = e.stream_id and f.version = 1
            where e.seq_id > after and e.seq_id <= reach and e.type like 'resource.%'
                and (of_events is null or e.type = any (of_events)) and (of_type is null or f.data ->> 'type' = of_type)
                and (of_owner is null or f.data ->> 'owner' = of_owner) and is_seen(f.data ->> 'type', f.data ->> 'owner', account, types, own, own_types)
            order by e.seq_id limit most;
    else
        select e.seq_id into reach from mt_events e order by e.seq_id desc limit 1;
        -- Mostly the position is that of one of its events: then its index leads on from there.
        select e.version into behind from mt_events e where e.seq_id = after and e.stream_id = of_resource;
        return query
            select reach, e.seq_id, e.id, e.type::text, e.stream_id, e.version, e.timestamp, coalesce(e.user_name::text, ''), e.correlation_id::text, e.data::text, coalesce(f.data ->> 'type', ''), coalesce(f.data ->> 'owner', '')
            from mt_events e left join mt_events f on f.stream_id = e.stream_id and f.version = 1
            where e.stream_id = of_resource and e.version > coalesce(behind, 0) and e.seq_id > after and e.seq_id <= reach and e.type like 'resource.%'
                and (of_events is null or e.type = any (of_events)) and (of_type is null or f.data ->> 'type' = of_type)
                and (of_owner is null or f.data ->> 'owner' = of_owner) and is_seen(f.data ->> 'type', f.data ->> 'owner', account, types, own, own_types)
            order by e.version limit most;
    end if;
    if not found then return query select reach, null::bigint, null::uuid, null::text, null::uuid, null::bigint, null::timestamptz, null::text, null::text, null::text, null::text, null::text; end if;
end $$;
