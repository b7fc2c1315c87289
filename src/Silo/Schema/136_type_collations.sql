-- The order of texts that a type chooses. Texts of its members are in the index twice: by code point, as filters compare them, and in that order.

-- A server without ICU has no such order. The column is there all the same, and no type can ask for it.
create function create_resource_collation(generation int) returns void language plpgsql as $$
begin
    execute format('
        alter table resource_index_members_%1$s add column if not exists text_order text collate "C" not null default ''C'';
        alter table resource_index_%1$s add column if not exists collated text collate %2$I;
        create index if not exists resource_index_%1$s_collated on resource_index_%1$s (member, collated, resource) where collated is not null',
        generation, coalesce((select collname from pg_collation where collname = 'und-x-icu' and collnamespace = 'pg_catalog'::regnamespace), 'C'));
end $$;

create or replace function create_resource_views(generation int) returns void language plpgsql as $$
begin
    perform create_resource_view_tables(generation);
    execute format('alter table resource_views_%s add column if not exists type_version bigint', generation);
    perform create_resource_words(generation);
    perform create_resource_index(generation);
    perform create_resource_collation(generation);
end $$;

-- A view keeps the collations of its columns. Where the server has got ICU since the generation before, it is made anew.
create or replace function publish_resource_views(generation int) returns void language plpgsql as $$
begin
    if (select count(distinct attcollation) from pg_attribute
        where attrelid in (to_regclass('resource_index'), to_regclass(format('resource_index_%s', generation))) and attname = 'collated') > 1 then
        execute 'drop view resource_index';
    end if;
    execute format('
        create or replace view resource_words as select word from resource_words_%1$s;
        create or replace view resource_index_members as select member, type, pointer, declared, is_time, state, text_order from resource_index_members_%1$s;
        create or replace view resource_index as select member, resource, number, text, collated from resource_index_%1$s', generation);
    perform publish_resource_view_tables(generation);
end $$;

-- Whether lists of the generation that answers can have an order.
create function has_collation(asked text) returns boolean language sql stable as $$
    select exists (
        select from pg_attribute a join pg_collation c on c.oid = a.attcollation
        where a.attrelid = to_regclass('resource_index') and a.attname = 'collated' and c.collname = asked)
$$;

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
        perform create_resource_collation(generation);
    end loop;
    select f.generation into generation from followers f where name = 'resource_views' for update;
    perform publish_resource_views(generation);
end $$;
