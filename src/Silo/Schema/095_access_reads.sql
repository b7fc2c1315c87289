-- What changes who may do what. Refreshes and uses of sessions change nothing for anyone, and are most of all that is not of resources.
create function changes_access(event_type text) returns boolean
language sql immutable parallel safe
return event_type not like 'resource.%' and event_type <> all ('{session.started,session.refreshed,session.used,account.login_failed}');

-- The next events after a position that change access, in their order.
create function read_access(after bigint, most int)
returns table (seq_id bigint, stream_id uuid, version bigint, at timestamptz, type text, data text)
language plpgsql stable
-- Every node asks this many times a second. Its plan is made once a session, perhaps on an empty log, for a log of any size: along the index.
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
set enable_sort = off
as $$
#variable_conflict use_column
begin
    return query
        select e.seq_id, e.stream_id, e.version, e.timestamp, e.type::text, e.data::text
        from mt_events e where changes_access(e.type) and e.seq_id > after order by e.seq_id limit most;
end $$;
