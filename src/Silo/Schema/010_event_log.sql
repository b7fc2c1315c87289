-- The half of the write path that lives in the database: one call appends the events of many streams.
--
-- Order promise: the lock is taken before the first sequence number is drawn and is held until the commit, so positions
-- become visible in their own order; a reader that has seen position p never finds a new event at or below p.
-- Each stream is answered on its own: a stale expected version refuses that stream and no other.
-- A repeated call (the caller lost the connection during the commit) finds its own events by id and answers as the first did.
--
-- Streams come as parallel arrays, one element a stream; events as parallel arrays, one element an event, in the order
-- of their streams (event_streams holds the stream's ordinal). Stream ids must differ from each other.
create function append_events(
    stream_ids uuid[], expected_versions bigint[], event_counts int[],
    command_ids text[], actors text[], correlation_ids text[], command_headers jsonb[],
    event_streams int[], event_ids uuid[], event_types text[], clr_types text[], bodies jsonb[])
returns table (ordinal bigint, appended boolean, version bigint, positions bigint[], appended_at timestamptz)
language plpgsql
-- Planned once a session and for few rows: on an empty database the statistics would choose scans, and keep them.
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
-- Whoever waits longer, for the lock or behind a migration, is answered that the store is unavailable.
set lock_timeout = '2s'
as $$
#variable_conflict use_column
declare
    moment timestamptz;
    currents bigint[];
    accepted boolean[];
    times timestamptz[];
    drawn bigint[];
begin
    perform pg_advisory_xact_lock(7238163);
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

-- A command that came with an Idempotency-Key leaves headers on its events: it is recognised by stream and command, for ever.
create index mt_events_commands on mt_events (stream_id, causation_id) where headers is not null;

-- The state of a stream at a version, so that an activation reads few events. May be emptied at any time: the log has it all.
create table stream_snapshots (
    stream_id uuid primary key,
    format text not null,
    version bigint not null,
    position bigint not null,
    state jsonb not null
);
