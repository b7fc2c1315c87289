-- Units: several appends of one call, which are in the log as a whole, or not at all.

-- The appends of a call with their guards. Each has an outcome, and a detail:
--   0 it is in the log, perhaps from an earlier call
--   1 its stream is at another version (detail: at which)
--   2 its fence has moved (detail: to which position)
--   3 another resource has a value that it takes (detail: the number of the claim)
--   4 what it refers to is not there, or of another type (detail: the number of the reference)
--   5 other resources refer to its stream
--   6 another one of its unit is not appended (detail: the number of that append)
-- A unit is in the log as a whole, or not at all. One that is too old counts as if its streams had moved on.
-- All are checked against what was before the call. So the stream that one of them writes, no other one may have as its fence or as a new target,
-- and no two may touch one value. Inside a unit they may: there references count as ended that its members end, what a member deletes is no target,
-- and what a member gives back is not free yet.
create function append_events(
    stream_ids uuid[], expected_versions bigint[], event_counts int[], command_ids text[], actors text[], correlation_ids text[], command_headers jsonb[],
    event_streams int[], event_ids uuid[], event_types text[], clr_types text[], bodies jsonb[],
    -- Of each append the number of its fence, or 0.
    append_fences int[], fence_ids uuid[], fence_positions bigint[],
    -- Takes are values that are taken and references that are made; the others are given back, and end.
    claim_appends int[], claim_scopes uuid[], claim_rules int[], claim_values bytea[], claim_takes boolean[],
    reference_appends int[], reference_fields int[], reference_targets uuid[], reference_types text[], reference_takes boolean[],
    -- The appends whose stream nobody else may refer to.
    unreferenced int[],
    -- Of each append the number of its unit, or 0; empty where there is none. And from when on each unit is too old.
    append_units int[], unit_ends timestamptz[])
returns table (ordinal bigint, outcome smallint, detail bigint, positions bigint[], appended_at timestamptz)
language plpgsql
-- Planned once a session, perhaps on empty tables, for tables of any size: along the indexes.
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
set lock_timeout = '2s'
as $$
#variable_conflict use_column
declare
    moment timestamptz;
    currents bigint[];
    outcomes smallint[];
    details bigint[];
    times timestamptz[];
    drawn bigint[];
    last_position bigint;
    deleted uuid[];
    failed record;
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
        array_agg(case when coalesce(s.version, 0) = a.expected and s.is_archived is not true then 0 else 1 end::smallint order by a.ordinal),
        array_agg(greatest(moment, s.timestamp) order by a.ordinal)
    into currents, outcomes, times
    from unnest(stream_ids, expected_versions) with ordinality a(stream_id, expected, ordinal)
    left join lateral (select version, timestamp, is_archived from mt_streams where id = a.stream_id limit 1) s on true;
    details := currents;
    if cardinality(append_units) > 0 then
        for i in 1 .. cardinality(append_units) loop
            if append_units[i] > 0 and outcomes[i] = 0 and unit_ends[append_units[i]] <= moment then
                outcomes[i] := 1;
            end if;
        end loop;
    end if;

    -- Guards come after the versions: an append that is in the log already does not stand in its own way.
    if cardinality(fence_ids) > 0 then
        for failed in
            select f.n as fence, coalesce(head.position, 0) as position from unnest(fence_ids, fence_positions) with ordinality f(id, position, n)
            left join lateral (select e.seq_id as position from mt_events e where e.stream_id = f.id order by e.version desc limit 1) head on true
            where coalesce(head.position, 0) <> f.position
        loop
            for i in 1 .. cardinality(append_fences) loop
                if append_fences[i] = failed.fence and outcomes[i] = 0 then
                    outcomes[i] := 2;
                    details[i] := failed.position;
                end if;
            end loop;
        end loop;
    end if;
    if cardinality(claim_appends) > 0 then
        for failed in
            select c.append, min(c.n) as n
            from unnest(claim_appends, claim_scopes, claim_rules, claim_values, claim_takes) with ordinality c(append, scope, rule, value, takes, n)
            cross join lateral (select resource from unique_claims where scope = c.scope and rule = c.rule and value = c.value limit 1) held
            where c.takes and outcomes[c.append] = 0 and held.resource <> stream_ids[c.append]
            group by c.append
        loop
            outcomes[failed.append] := 3;
            details[failed.append] := failed.n;
        end loop;
    end if;
    if cardinality(reference_appends) > 0 then
        for failed in
            select r.append, min(r.n) as n
            from unnest(reference_appends, reference_targets, reference_types, reference_takes) with ordinality r(append, target, type, takes, n)
            left join lateral (
                select e.data ->> 'type' as type from mt_events e where e.stream_id = r.target and e.version = 1 and e.type = 'resource.created' limit 1
            ) first on true
            left join lateral (select e.type from mt_events e where e.stream_id = r.target order by e.version desc limit 1) last on true
            where r.takes and outcomes[r.append] = 0 and r.target <> stream_ids[r.append]
                and (first.type is distinct from r.type or last.type = 'resource.deleted')
            group by r.append
        loop
            outcomes[failed.append] := 4;
            details[failed.append] := failed.n;
        end loop;
    end if;
    if cardinality(unreferenced) > 0 then
        for failed in
            select u.append from unnest(unreferenced) u(append)
            where outcomes[u.append] = 0 and coalesce(append_units[u.append], 0) = 0
                and exists (select from resource_references where target = stream_ids[u.append] and source <> stream_ids[u.append])
        loop
            outcomes[failed.append] := 5;
        end loop;
    end if;
    if cardinality(append_units) > 0 then
        for failed in
            select c.append, c.n
            from (
                select append, n, row_number() over (partition by scope, rule, value order by n) as nth
                from unnest(claim_appends, claim_scopes, claim_rules, claim_values, claim_takes) with ordinality c(append, scope, rule, value, takes, n)
                where takes and append_units[append] > 0
            ) c
            where c.nth > 1 and outcomes[c.append] = 0
        loop
            outcomes[failed.append] := 3;
            details[failed.append] := failed.n;
        end loop;
        select array_agg(stream_ids[e.stream]) into deleted
        from unnest(event_streams, event_types) e(stream, type) where e.type = 'resource.deleted' and append_units[e.stream] > 0;
        for failed in
            select r.append, min(r.n) as n
            from unnest(reference_appends, reference_targets, reference_takes) with ordinality r(append, target, takes, n)
            where r.takes and append_units[r.append] > 0 and outcomes[r.append] = 0 and r.target = any (deleted)
            group by r.append
        loop
            outcomes[failed.append] := 4;
            details[failed.append] := failed.n;
        end loop;
        -- Counted, not joined: a unit may have a thousand members, and these joins would be nested loops.
        for failed in
            select max(append) as append
            from (
                select u.append, append_units[u.append] as unit, stream_ids[u.append] as target,
                    (select count(*) from resource_references where target = stream_ids[u.append] and source <> stream_ids[u.append]) as referring
                from unnest(unreferenced) u(append) where append_units[u.append] > 0 and outcomes[u.append] = 0
                union all
                select null, append_units[e.append], e.target, -1
                from (
                    select distinct append, field, target
                    from unnest(reference_appends, reference_fields, reference_targets, reference_takes) r(append, field, target, takes)
                    where not takes and append_units[append] > 0 and target <> stream_ids[append]
                ) e
                where exists (select from resource_references made where made.source = stream_ids[e.append] and made.field = e.field and made.target = e.target)
            ) counted
            group by unit, target
            having max(append) is not null and sum(referring) > 0
        loop
            outcomes[failed.append] := 5;
        end loop;
        for failed in
            select unit, min(n) as n from unnest(append_units, outcomes) with ordinality u(unit, outcome, n) where unit > 0 and outcome > 0 group by unit
        loop
            for i in 1 .. cardinality(append_units) loop
                if append_units[i] = failed.unit and outcomes[i] = 0 then
                    outcomes[i] := 6;
                    details[i] := failed.n;
                end if;
            end loop;
        end loop;
    end if;

    insert into mt_streams (id, version, timestamp, created)
    select stream_id, event_count, at, at
    from unnest(stream_ids, event_counts, currents, outcomes, times) a(stream_id, event_count, current, outcome, at)
    where outcome = 0 and current = 0;

    update mt_streams s set version = a.current + a.event_count, timestamp = a.at
    from unnest(stream_ids, event_counts, currents, outcomes, times) a(stream_id, event_count, current, outcome, at)
    where s.id = a.stream_id and a.outcome = 0 and a.current > 0;

    if cardinality(claim_appends) > 0 then
        delete from unique_claims held using unnest(claim_appends, claim_scopes, claim_rules, claim_values, claim_takes) c(append, scope, rule, value, takes)
        where not c.takes and outcomes[c.append] = 0
            and held.scope = c.scope and held.rule = c.rule and held.value = c.value and held.resource = stream_ids[c.append];
        -- Two that take one value in one call violate the key.
        insert into unique_claims (scope, rule, value, resource)
        select c.scope, c.rule, c.value, stream_ids[c.append]
        from unnest(claim_appends, claim_scopes, claim_rules, claim_values, claim_takes) c(append, scope, rule, value, takes)
        where c.takes and outcomes[c.append] = 0
            and not exists (select from unique_claims held where held.scope = c.scope and held.rule = c.rule and held.value = c.value);
    end if;
    if cardinality(reference_appends) > 0 then
        delete from resource_references made using unnest(reference_appends, reference_fields, reference_targets, reference_takes) r(append, field, target, takes)
        where not r.takes and outcomes[r.append] = 0 and made.source = stream_ids[r.append] and made.field = r.field and made.target = r.target;
        insert into resource_references (source, field, target)
        select stream_ids[r.append], r.field, r.target
        from unnest(reference_appends, reference_fields, reference_targets, reference_takes) r(append, field, target, takes)
        where r.takes and outcomes[r.append] = 0
        on conflict do nothing;
    end if;

    with written as (
        insert into mt_events (seq_id, id, stream_id, version, data, type, timestamp, mt_dotnet_type, correlation_id, causation_id, headers, user_name)
        select nextval('mt_events_sequence'), event_id, stream_ids[stream], expected_versions[stream] + nth, body, event_type, times[stream], clr_type,
            correlation_ids[stream], command_ids[stream], command_headers[stream], actors[stream]
        from (
            select e.*, row_number() over (partition by e.stream order by e.ordinal) as nth
            from unnest(event_streams, event_ids, event_types, clr_types, bodies) with ordinality
                e(stream, event_id, event_type, clr_type, body, ordinal)
            where outcomes[e.stream] = 0
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
    select a.ordinal, case when earlier.positions is null then a.outcome else 0 end::smallint, a.detail,
        case when a.outcome = 0 then drawn[(a.before_accepted + 1)::int : (a.before_accepted + a.event_count)::int] else earlier.positions end,
        case when a.outcome = 0 then a.at else earlier.at end
    from (
        select u.*,
            sum(u.event_count) over w - u.event_count as before,
            sum(case when u.outcome = 0 then u.event_count else 0 end) over w - case when u.outcome = 0 then u.event_count else 0 end as before_accepted
        from unnest(stream_ids, expected_versions, event_counts, outcomes, details, times) with ordinality
            u(stream_id, expected, event_count, outcome, detail, at, ordinal)
        window w as (order by u.ordinal)
    ) a
    left join lateral (
        select array_agg(seq_id order by version) as positions, min(timestamp) as at
        from mt_events
        where a.outcome = 1 and stream_id = a.stream_id and version between a.expected + 1 and a.expected + a.event_count
        having bool_or(id = event_ids[(a.before + 1)::int])
    ) earlier on true
    order by a.ordinal;
end
$$;

-- For nodes that know no units.
create or replace function append_events(
    stream_ids uuid[], expected_versions bigint[], event_counts int[], command_ids text[], actors text[], correlation_ids text[], command_headers jsonb[],
    event_streams int[], event_ids uuid[], event_types text[], clr_types text[], bodies jsonb[],
    append_fences int[], fence_ids uuid[], fence_positions bigint[],
    claim_appends int[], claim_scopes uuid[], claim_rules int[], claim_values bytea[], claim_takes boolean[],
    reference_appends int[], reference_fields int[], reference_targets uuid[], reference_types text[], reference_takes boolean[],
    unreferenced int[])
returns table (ordinal bigint, outcome smallint, detail bigint, positions bigint[], appended_at timestamptz)
language plpgsql
as $$
begin
    return query
    select a.*
    from append_events(
        stream_ids, expected_versions, event_counts, command_ids, actors, correlation_ids, command_headers, event_streams, event_ids, event_types, clr_types, bodies,
        append_fences, fence_ids, fence_positions, claim_appends, claim_scopes, claim_rules, claim_values, claim_takes,
        reference_appends, reference_fields, reference_targets, reference_types, reference_takes, unreferenced, '{}', '{}') a;
end
$$;
