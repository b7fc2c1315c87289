-- Read models: what lists, search and statistics answer from. Each follows the log in generations: tables of their own for each,
-- so that a new one is built beside the one that answers, and views that say which one that is.
--
-- The views are the contract. resource_views, resource_statistics, resource_totals and resource_views_position belong to the API;
-- resources is for reporting tools (docs/OPERATIONS.md).

drop table resource_views;
delete from mt_event_progression where name like 'resource\_views:%';

-- Followers of the log: which generation answers, which is being built, and why one stands still.
create table followers (
    name text primary key,
    generation int not null,
    building int,
    stage text,
    requested_at timestamptz,
    requested_by text,
    rebuilt_at timestamptz,
    rebuild_fault text,
    node text,
    fault_position bigint,
    fault_detail text,
    fault_is_of_event boolean not null default false,
    fault_since timestamptz
);

-- Events that an operator has told followers to leave out, and why.
create table skipped_events (
    position bigint primary key,
    follower text not null,
    reason text not null,
    skipped_by text not null,
    skipped_at timestamptz not null default clock_timestamp()
);

-- The position of a follower's generation, as Marten keeps it.
create function follower_shard(follower text, generation int) returns text language sql immutable as
$$ select follower || case when generation > 1 then ':V' || generation else '' end || ':All' $$;

-- Texts are compared by code point: the same order everywhere, and no index that an upgrade of the system's collations breaks.
create function create_resource_views(generation int) returns void language plpgsql as $$
begin
    execute format('
        create table if not exists resource_views_%1$s (
            id uuid primary key,
            type text collate "C" not null,
            name text collate "C" not null,
            status text collate "C" not null,
            metadata jsonb not null,
            owner text collate "C" not null,
            version bigint not null,
            created_at timestamptz not null,
            created_by text collate "C" not null,
            updated_at timestamptz not null,
            updated_by text collate "C" not null,
            deleted_at timestamptz,
            -- Words of the metadata, and of the name with weight A.
            words tsvector not null
        );
        -- Live resources by what lists show, and by whom: scope is an owner, or * for all; day is that of creation, or infinity for all.
        create table if not exists resource_statistics_%1$s (
            scope text collate "C",
            type text collate "C",
            status text collate "C",
            day date,
            live bigint not null,
            primary key (scope, type, status, day)
        ) with (fillfactor = 50);
        create index if not exists resource_statistics_%1$s_totals on resource_statistics_%1$s (scope, type, status) where day = ''infinity''', generation);
end $$;

-- The indexes of lists. A rebuild makes them when the rows are there, which costs a fraction of keeping them on the way.
create function index_resource_views(generation int) returns void language plpgsql as $$
begin
    -- A node that died here may have left a session that still builds; it ends when it notices.
    perform pg_advisory_xact_lock(7238165);
    execute format('
        create index if not exists resource_views_%1$s_created on resource_views_%1$s (created_at desc, id desc) where deleted_at is null;
        create index if not exists resource_views_%1$s_updated on resource_views_%1$s (updated_at desc, id desc) where deleted_at is null;
        create index if not exists resource_views_%1$s_status on resource_views_%1$s (status, created_at desc, id desc) where deleted_at is null;
        create index if not exists resource_views_%1$s_type on resource_views_%1$s (type, created_at desc, id desc) where deleted_at is null;
        create index if not exists resource_views_%1$s_owner on resource_views_%1$s (owner, created_at desc, id desc) where deleted_at is null;
        create index if not exists resource_views_%1$s_name on resource_views_%1$s (name, id) where deleted_at is null;
        create index if not exists resource_views_%1$s_deleted_owner on resource_views_%1$s (owner, created_at desc, id desc) where deleted_at is not null;
        create index if not exists resource_views_%1$s_deleted on resource_views_%1$s (created_at desc, id desc) where deleted_at is not null;
        create index if not exists resource_views_%1$s_metadata on resource_views_%1$s using gin (metadata jsonb_path_ops);
        create index if not exists resource_views_%1$s_words on resource_views_%1$s using gin (words);
        analyze resource_views_%1$s', generation);
end $$;

-- Makes a generation the one that answers. Views are replaced in the order in which queries lock them.
create function publish_resource_views(generation int) returns void language plpgsql as $$
begin
    execute format('
        create or replace view resource_views_position as
            select coalesce((select last_seq_id from mt_event_progression where name = %2$L), 0) as position, %1$s as generation;
        create or replace view resource_views as
            select id, type, name, status, metadata, owner, version, created_at, created_by, updated_at, updated_by, deleted_at, words from resource_views_%1$s;
        create or replace view resource_statistics as select scope, type, status, day, live from resource_statistics_%1$s where day <> ''infinity'';
        create or replace view resource_totals as select scope, type, status, live from resource_statistics_%1$s where day = ''infinity''',
        generation, follower_shard('resource_views', generation));
end $$;

-- Drops what neither answers nor is being built.
create function drop_other_resource_views(generation int, building int) returns void language plpgsql as $$
declare
    leftover text;
begin
    for leftover in
        select relname from pg_class
        where relkind = 'r' and relnamespace = current_schema()::regnamespace and relname ~ '^resource_(views|statistics)_[0-9]+$'
            and substring(relname from '[0-9]+$')::int not in (generation, coalesce(building, generation))
    loop
        execute format('drop table %I', leftover);
    end loop;
    delete from mt_event_progression
    where name like 'resource\_views:%' and name not in (follower_shard('resource_views', generation), follower_shard('resource_views', coalesce(building, generation)));
end $$;

select create_resource_views(1), index_resource_views(1), publish_resource_views(1);
insert into followers (name, generation) values ('resource_views', 1);

-- One row a resource, deleted ones among them, for reporting tools.
create view resources as
    select id, type, name, status, metadata, owner, version, created_at, created_by, updated_at, updated_by, deleted_at from resource_views;
