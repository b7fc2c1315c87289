-- Indexed members of declared types. They are rows in tables of each generation of the read model, so that a type that gains an index runs no DDL:
-- every live resource of the type has one row for each member. Whoever keeps the generation writes them, with the rows of the lists.

-- The members, and how far the rows that were there before have been entered: newest first, up to the place.
create function create_resource_index(generation int) returns void language plpgsql as $$
begin
    execute format('
        create table if not exists resource_index_members_%1$s (
            member int generated always as identity primary key,
            type text collate "C" not null,
            pointer text collate "C" not null,
            -- When the type was declared, and whether the texts of the member are times.
            declared timestamptz not null,
            is_time boolean not null,
            path text[] not null,
            -- Behind this position of the log, resources of the type are written as such.
            since bigint not null,
            state text collate "C" not null default ''building'' check (state in (''building'', ''ready'', ''leaving'')),
            place_time timestamptz not null default ''infinity'',
            place_id uuid not null default ''ffffffff-ffff-ffff-ffff-ffffffffffff''
        );
        create index if not exists resource_index_members_%1$s_type on resource_index_members_%1$s (type);
        -- A number, a text, or neither where the resource lacks the member.
        create table if not exists resource_index_%1$s (
            member int, resource uuid, number numeric, text text collate "C", primary key (member, resource)
        );
        create index if not exists resource_index_%1$s_numbers on resource_index_%1$s (member, number, resource) where number is not null;
        create index if not exists resource_index_%1$s_texts on resource_index_%1$s (member, text, resource) where text is not null;
        create index if not exists resource_index_%1$s_without on resource_index_%1$s (member, resource) where number is null and text is null', generation);
end $$;

-- A time of RFC 3339 as text in the order of time; what PostgreSQL takes for none stays as it is.
create function indexed_time(value text) returns text language plpgsql stable as $$
begin
    return to_char(value::timestamptz at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');
exception when data_exception then
    return left(value, 256);
end $$;

-- What a value of JSON is in an index. Longer texts count by their beginning, as an entry of an index is bounded.
create function indexed_number(value jsonb) returns numeric language sql immutable parallel safe
as $$ select case jsonb_typeof(value) when 'number' then value::numeric end $$;

create function indexed_text(value jsonb, is_time boolean) returns text language sql stable
as $$
    select case jsonb_typeof(value)
        when 'string' then case when is_time then indexed_time(value #>> '{}') else left(value #>> '{}', 256) end
        when 'boolean' then value #>> '{}'
    end
$$;

create or replace function create_resource_views(generation int) returns void language plpgsql as $$
begin
    perform create_resource_view_tables(generation);
    execute format('alter table resource_views_%s add column if not exists type_version bigint', generation);
    perform create_resource_words(generation);
    perform create_resource_index(generation);
end $$;

-- Lists look members up first, and keep these views locked to their end.
create or replace function publish_resource_views(generation int) returns void language plpgsql as $$
begin
    execute format('
        create or replace view resource_words as select word from resource_words_%1$s;
        create or replace view resource_index_members as select member, type, pointer, declared, is_time, state from resource_index_members_%1$s;
        create or replace view resource_index as select member, resource, number, text from resource_index_%1$s', generation);
    perform publish_resource_view_tables(generation);
end $$;

create or replace function drop_other_resource_views(generation int, building int) returns void language plpgsql as $$
declare
    leftover text;
begin
    perform drop_other_resource_view_tables(generation, building);
    for leftover in
        select relname from pg_class
        where relkind = 'r' and relnamespace = current_schema()::regnamespace and relname ~ '^resource_(words|index|index_members)_[0-9]+$'
            and substring(relname from '[0-9]+$')::int not in (generation, coalesce(building, generation))
    loop
        execute format('drop table %I', leftover);
    end loop;
end $$;

select secure_read_model('resource_views');

-- The generations that are there. Not beside a rebuild that takes its place at this moment by the function as it was.
do $$
declare
    generation int;
begin
    for generation in
        select substring(relname from '[0-9]+$')::int from pg_class
        where relkind = 'r' and relnamespace = current_schema()::regnamespace and relname ~ '^resource_views_[0-9]+$' order by 1 desc
    loop
        perform create_resource_index(generation);
    end loop;
    select f.generation into generation from followers f where name = 'resource_views' for update;
    perform publish_resource_views(generation);
end $$;
