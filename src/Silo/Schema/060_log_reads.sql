-- The half of the feed that lives in the database.

-- Whoever inserts events, by whatever way, takes the lock of append_events before its statement draws a position: the order promise is the log's own.
create function hold_log_order() returns trigger language plpgsql as $$
begin
    perform pg_advisory_xact_lock(7238163);
    return null;
end $$;

create trigger mt_events_hold_order before insert on mt_events for each statement execute function hold_log_order();

-- The events after a position that a filter takes, with their resources' type and owner, in their order; every row says how far the log was
-- looked through. Whatever is in the log is read, a stream without a beginning too. One row without an event when there is none. Of one resource all are looked through, else the next so many of the log.
create function read_log(after bigint, scanned int, most int, of_resource uuid, of_events text[], of_type text, of_owner text, visible text)
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
            where e.seq_id > after and e.seq_id <= reach
                and (of_events is null or e.type = any (of_events)) and (of_type is null or f.data ->> 'type' = of_type)
                and (of_owner is null or f.data ->> 'owner' = of_owner) and (visible is null or f.data ->> 'owner' = visible)
            order by e.seq_id limit most;
    else
        select e.seq_id into reach from mt_events e order by e.seq_id desc limit 1;
        -- Mostly the position is that of one of its events: then its index leads on from there.
        select e.version into behind from mt_events e where e.seq_id = after and e.stream_id = of_resource;
        return query
            select reach, e.seq_id, e.id, e.type::text, e.stream_id, e.version, e.timestamp, coalesce(e.user_name::text, ''), e.correlation_id::text, e.data::text, coalesce(f.data ->> 'type', ''), coalesce(f.data ->> 'owner', '')
            from mt_events e left join mt_events f on f.stream_id = e.stream_id and f.version = 1
            where e.stream_id = of_resource and e.version > coalesce(behind, 0) and e.seq_id > after and e.seq_id <= reach
                and (of_events is null or e.type = any (of_events)) and (of_type is null or f.data ->> 'type' = of_type)
                and (of_owner is null or f.data ->> 'owner' = of_owner) and (visible is null or f.data ->> 'owner' = visible)
            order by e.version limit most;
    end if;
    if not found then return query select reach, null::bigint, null::uuid, null::text, null::uuid, null::bigint, null::timestamptz, null::text, null::text, null::text, null::text, null::text; end if;
end $$;
