-- Changes of types that stored resources may contradict: how far a check has come, and what it enters into the tables of guards.

-- A change that is being checked: the place of the last resource that was looked at, and what was found. The row stays until what the change may
-- have left is deleted.
create table type_changes (
    change uuid primary key,
    type uuid not null,
    after_time timestamptz,
    after_id uuid,
    checked bigint not null default 0,
    offending bigint not null default 0,
    offenders jsonb not null default '[]'
);

-- Rules that are no longer in force, and of which nothing is stored any more.
create table swept_type_rules (type uuid, rule int, primary key (type, rule));

-- The session lock of whoever checks a type, or sweeps what its former rules have left.
create function type_lock(type uuid) returns bigint language sql immutable
as $$ select hashtext(type::text)::bigint << 32 | 7238166 $$;

-- Enters what resources have under rules that are being checked, and answers what cannot be entered: the claim or the reference. A resource
-- that has moved on since it was read has entered its own. Where the newest event of the type is no longer the proposal, nothing is entered, and
-- the answer is a row of nulls.
create function enter_type_rules(
    of_scope uuid, proposed_at bigint, streams uuid[], versions bigint[], claim_rows int[], claim_rules int[], claim_values bytea[],
    reference_rows int[], reference_fields int[], reference_targets uuid[], reference_types text[])
returns table (claim bigint, reference bigint)
language plpgsql
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
set lock_timeout = '2s'
as $$
#variable_conflict use_column
declare
    current boolean[];
begin
    perform pg_advisory_xact_lock(7238163);
    if proposed_at is distinct from (select e.seq_id from mt_events e where e.stream_id = of_scope order by e.version desc limit 1) then
        return query select null::bigint, null::bigint;
        return;
    end if;
    select array_agg(coalesce(s.version = r.version, false) order by r.n) into current
    from unnest(streams, versions) with ordinality r(stream, version, n)
    left join lateral (select version from mt_streams where id = r.stream limit 1) s on true;

    insert into unique_claims (scope, rule, value, resource)
    select of_scope, c.rule, c.value, streams[c.at] from unnest(claim_rows, claim_rules, claim_values) with ordinality c(at, rule, value, n)
    where current[c.at] order by c.n on conflict do nothing;
    insert into resource_references (source, field, target)
    select streams[r.at], r.field, r.target from unnest(reference_rows, reference_fields, reference_targets, reference_types) r(at, field, target, type)
    where current[r.at] and (
        r.target = streams[r.at]
        or exists (select from mt_events e where e.stream_id = r.target and e.version = 1 and e.type = 'resource.created' and e.data ->> 'type' = r.type)
            and (select e.type from mt_events e where e.stream_id = r.target order by e.version desc limit 1) <> 'resource.deleted'
    ) on conflict do nothing;

    return query
        select c.n, null::bigint from unnest(claim_rows, claim_rules, claim_values) with ordinality c(at, rule, value, n)
        where current[c.at] and (select resource from unique_claims where scope = of_scope and rule = c.rule and value = c.value) <> streams[c.at]
        union all
        select null, r.n from unnest(reference_rows, reference_fields, reference_targets) with ordinality r(at, field, target, n)
        where current[r.at] and not exists (select from resource_references where source = streams[r.at] and field = r.field and target = r.target);
end $$;

-- The version of the type that a resource was last checked against, null where its type was free. Nodes of the version before leave it as it is.
do $$
declare
    views text;
begin
    for views in
        select relname from pg_class where relkind = 'r' and relnamespace = current_schema()::regnamespace and relname ~ '^resource_views_[0-9]+$' order by 1 desc
    loop
        execute format('alter table %I add column type_version bigint', views);
    end loop;
end $$;

create or replace function create_resource_views(generation int) returns void language plpgsql as $$
begin
    perform create_resource_view_tables(generation);
    execute format('alter table resource_views_%s add column if not exists type_version bigint', generation);
    perform create_resource_words(generation);
end $$;

create or replace function publish_resource_view_tables(generation int) returns void language plpgsql as $$
begin
    execute format('
        create or replace view resource_views_position as
            select coalesce((select last_seq_id from mt_event_progression where name = %2$L), 0) as position, %1$s as generation;
        create or replace view resource_views as
            select id, type, name, status, metadata, owner, version, created_at, created_by, updated_at, updated_by, deleted_at, words, type_version from resource_views_%1$s;
        create or replace view resource_statistics as select scope, type, status, day, live from resource_statistics_%1$s where day <> ''infinity'';
        create or replace view resource_totals as select scope, type, status, live from resource_statistics_%1$s where day = ''infinity''',
        generation, follower_shard('resource_views', generation));
end $$;

select secure_read_model('resource_views');

-- Not beside a rebuild that takes its place at this moment by the function as it was.
do $$
declare
    generation int;
begin
    select f.generation into generation from followers f where name = 'resource_views' for update;
    perform publish_resource_views(generation);
end $$;

create or replace view resources as
    select id, type, name, status, metadata, owner, version, created_at, created_by, updated_at, updated_by, deleted_at, type_version from resource_views;
