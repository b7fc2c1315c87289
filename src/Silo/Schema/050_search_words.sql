-- The lexicon of a generation: every word that its rows have or had. A search for several words is answered by whole words, as an
-- index of beginnings must collect all rows of the commonest first; here it learns which words begin with what was asked for.
--
-- Words are never removed: one that no row has any more is looked for in vain. A rebuild makes a fresh lexicon.

-- Keeps the lexicon, whoever writes the rows: while nodes are replaced one by one that may still be one of the version before.
-- A generation has one writer, which adds words in their order.
create function keep_resource_words() returns trigger language plpgsql as $$
begin
    execute format('insert into resource_words_%s select distinct unnest(tsvector_to_array(words)) collate "C" from written order by 1 on conflict do nothing', tg_argv[0]);
    return null;
end $$;

-- Locks the rows against writers and nothing else, as those lock tables in an order of their own.
create function create_resource_words(generation int) returns void language plpgsql as $$
begin
    execute format('
        create table if not exists resource_words_%1$s (word text collate "C" primary key);
        create or replace trigger words_of_new_rows after insert on resource_views_%1$s
            referencing new table as written for each statement execute function keep_resource_words(%1$s);
        create or replace trigger words_of_changed_rows after update on resource_views_%1$s
            referencing new table as written for each statement execute function keep_resource_words(%1$s);
        -- How common a word is decides the plan; by default PostgreSQL keeps that of a thousand words.
        alter table resource_views_%1$s alter column words set statistics 400', generation);
end $$;

-- What makes, publishes and drops a generation does so for its lexicon too.
alter function create_resource_views(int) rename to create_resource_view_tables;
create function create_resource_views(generation int) returns void language plpgsql as $$
begin
    perform create_resource_view_tables(generation);
    perform create_resource_words(generation);
end $$;

-- Views are replaced in the order in which queries lock them: a search keeps the lexicon locked from its first statement to its last, so that
-- both are of one generation.
alter function publish_resource_views(int) rename to publish_resource_view_tables;
create function publish_resource_views(generation int) returns void language plpgsql as $$
begin
    execute format('create or replace view resource_words as select word from resource_words_%s', generation);
    perform publish_resource_view_tables(generation);
end $$;

alter function drop_other_resource_views(int, int) rename to drop_other_resource_view_tables;
create function drop_other_resource_views(generation int, building int) returns void language plpgsql as $$
declare
    leftover text;
begin
    perform drop_other_resource_view_tables(generation, building);
    for leftover in
        select relname from pg_class
        where relkind = 'r' and relnamespace = current_schema()::regnamespace and relname ~ '^resource_words_[0-9]+$'
            and substring(relname from '[0-9]+$')::int not in (generation, coalesce(building, generation))
    loop
        execute format('drop table %I', leftover);
    end loop;
end $$;

-- The generations that are there, the newest first: one that is being built may keep this waiting, and the one that answers does not wait with it.
do $$
declare
    generation int;
begin
    for generation in
        select substring(relname from '[0-9]+$')::int from pg_class
        where relkind = 'r' and relnamespace = current_schema()::regnamespace and relname ~ '^resource_views_[0-9]+$' order by 1 desc
    loop
        perform create_resource_words(generation);
        execute format('insert into resource_words_%1$s select word from ts_stat(''select words from resource_views_%1$s'')', generation);
        execute format('analyze resource_views_%1$s (words)', generation);
    end loop;
    -- Not beside a rebuild that takes its place at this moment by the function as it was.
    select f.generation into generation from followers f where name = 'resource_views' for update;
    execute format('create view resource_words as select word from resource_words_%s', generation);
end $$;
