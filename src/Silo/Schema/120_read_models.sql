-- Read models: how the node that keeps them reads the log and moves on in it, each by its own name.

-- Every attempt to build a generation has a number of its own, so that none begins on what another one left behind.
alter table followers add column newest int not null default 0;

-- The session lock of whoever keeps a read model. That of the resource views is the one that nodes of the version before take.
create function follower_lock(follower text) returns bigint language sql immutable
as $$ select case when follower = 'resource_views' then 0 else hashtext(follower)::bigint << 32 end | 7238164 $$;

-- Has the functions of a read model run with the rights of who owns the tables, so that nodes need not own them; who may call them is granted.
create function secure_read_model(name text) returns void language plpgsql as $$
declare
    signature text;
begin
    foreach signature in array array['create_%s(int)', 'index_%s(int)', 'publish_%s(int)', 'drop_other_%s(int, int)'] loop
        signature := format(signature, name);
        execute format('alter function %s security definer', signature);
        execute format('alter function %s set search_path = %I, pg_temp', signature, current_schema());
        execute format('revoke all on function %s from public', signature);
    end loop;
end $$;

-- What one follower leaves out is no concern of another.
alter table skipped_events drop constraint skipped_events_pkey, add primary key (follower, position);

-- The events after a position whose names begin so, but for those that an operator told the follower to leave out. The page ends after so many
-- events, or so many bytes, or when so many positions were looked through. Its last row may be without an event: the position that was reached.
create function read_followed(follower text, beginning text, after bigint, upto bigint, scanned int, most int, bytes int)
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
begin
    select case when count(*) < scanned then upto else max(s.seq_id) end into reach
    from (select e.seq_id from mt_events e where e.seq_id > after and e.seq_id <= upto order by e.seq_id limit scanned) s;
    for seq_id, id, stream_id, version, type, at, actor, data in
        select e.seq_id, e.id, e.stream_id, e.version, e.type::text, e.timestamp, e.user_name::text, e.data::text from mt_events e
        where e.seq_id > after and e.seq_id <= reach and starts_with(e.type, beginning)
            and not exists (select from skipped_events s where s.follower = read_followed.follower and s.position = e.seq_id)
        order by e.seq_id limit most
    loop
        return next;
        found_events := found_events + 1;
        found_bytes := found_bytes + octet_length(data);
        if found_events = most or found_bytes > bytes then return; end if;
    end loop;
    return query select reach, null::uuid, null::uuid, null::bigint, null::text, null::timestamptz, null::text, null::text;
end $$;

-- Moves a generation's position in the transaction that writes its rows. Whoever is not where it believes to be writes nothing: another
-- node has gone on.
create procedure advance_follower(shard text, from_position bigint, to_position bigint) language plpgsql as $$
begin
    if from_position = 0 then
        insert into mt_event_progression (name, last_seq_id) values (shard, to_position) on conflict (name) do nothing;
        if found then return; end if;
    end if;
    update mt_event_progression set last_seq_id = to_position, last_updated = transaction_timestamp() where name = shard and last_seq_id = from_position;
    if not found then raise exception 'Another node has moved % on.', shard using errcode = 'serialization_failure'; end if;
end $$;
