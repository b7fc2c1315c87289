-- The read model poll_results: one row for each poll, with all its votes.

create function create_poll_results(generation int) returns void language plpgsql as $$
begin
    execute format('
        create table if not exists poll_results_%s (
            id uuid primary key,
            question text not null,
            votes bigint not null default 0,
            closed boolean not null default false
        )', generation);
end $$;

create function index_poll_results(generation int) returns void language plpgsql as $$
begin
    execute format('create index if not exists poll_results_%1$s_votes on poll_results_%1$s (votes desc, id)', generation);
end $$;

create function publish_poll_results(generation int) returns void language plpgsql as $$
begin
    execute format('create or replace view poll_results as select id, question, votes, closed from poll_results_%s', generation);
end $$;

create function drop_other_poll_results(generation int, building int) returns void language plpgsql as $$
declare
    leftover text;
begin
    for leftover in
        select relname from pg_class
        where relkind = 'r' and relnamespace = current_schema()::regnamespace and relname ~ '^poll_results_[0-9]+$'
            and substring(relname from '[0-9]+$')::int not in (generation, coalesce(building, generation))
    loop
        execute format('drop table %I', leftover);
    end loop;
end $$;

select create_poll_results(1), index_poll_results(1), publish_poll_results(1);
select secure_read_model('poll_results');
insert into followers (name, generation) values ('poll_results', 1);
