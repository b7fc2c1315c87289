-- What readers of the log know about kinds of events, each said once. C# declares the kinds (EventAttribute); a test compares the functions and
-- indexes below with the declarations. An index repeats the text of its function, because an index that called it would go wrong without notice
-- when the function is replaced.
--
-- Nodes of the previous release may run while this script does. They call changes_access, read_access and read_log by name, and get the new ones:
-- the events that those no longer return changed nothing at such nodes. Their audit asks for type not like 'resource.%', which mt_events_audit
-- serves as mt_events_access did. Appends wait while the new index is built.

-- Whether events of a kind happen to resources. Readers of events see these and no others.
create or replace function is_of_resource(event_type text) returns boolean
language sql immutable parallel safe
return event_type like 'resource.%';

-- Whether nodes must hear of a kind to know who may do what. A kind that is not listed changes nothing, as those that extensions bring.
create or replace function changes_access(event_type text) returns boolean
language sql immutable parallel safe
return event_type = any ('{account.deleted,account.disabled,account.enabled,account.password_changed,account.roles_changed,account.sessions_ended,api_key.revoked,role.changed,role.created,role.deleted,session.authenticated,session.ended}');

-- The position of the newest event; 0 when there is none. In FROM it is inlined: it costs one look at an index, in the snapshot of its statement.
create or replace function log_head() returns table (head bigint)
language sql stable parallel safe
as $$ select coalesce((select seq_id from mt_events order by seq_id desc limit 1), 0) $$;

-- As before, with is_of_resource.
create or replace function read_log(
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
            where e.seq_id > after and e.seq_id <= reach and is_of_resource(e.type)
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
            where e.stream_id = of_resource and e.version > coalesce(behind, 0) and e.seq_id > after and e.seq_id <= reach and is_of_resource(e.type)
                and (of_events is null or e.type = any (of_events)) and (of_type is null or f.data ->> 'type' = of_type)
                and (of_owner is null or f.data ->> 'owner' = of_owner) and is_seen(f.data ->> 'type', f.data ->> 'owner', account, types, own, own_types)
            order by e.version limit most;
    end if;
    if not found then return query select reach, null::bigint, null::uuid, null::text, null::uuid, null::bigint, null::timestamptz, null::text, null::text, null::text, null::text, null::text; end if;
end $$;

-- The audit reads all that is not of resources, whatever it is called, so the index of the audit is defined by what it leaves out.
-- Until now it served the readers of access too.
alter index mt_events_access rename to mt_events_audit;
create index mt_events_access on mt_events (seq_id) where type::text = any ('{account.deleted,account.disabled,account.enabled,account.password_changed,account.roles_changed,account.sessions_ended,api_key.revoked,role.changed,role.created,role.deleted,session.authenticated,session.ended}');

-- A node of the previous release that starts after this script drops mt_events_audit, as its Marten does not know the name. Every later start of
-- a node that may migrate makes it anew. To be dropped when no such node can be there any more.
create or replace function restore_log_indexes() returns void language plpgsql as $$
begin
    if to_regclass('mt_events_audit') is null then
        create index mt_events_audit on mt_events (seq_id) where type not like 'resource.%';
    end if;
end $$;
