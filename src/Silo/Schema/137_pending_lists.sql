-- PostgreSQL collects what a GIN index has to take in, 4 MiB by default, and a write in which that is full waits until it is sorted in: at 400,000
-- resources half a second, and with it every list that wants to see that write. In smaller portions a hundred milliseconds, and at lower cost.
do $$
declare
    name text;
begin
    for name in
        select relname from pg_class where relkind = 'i' and relnamespace = current_schema()::regnamespace and relname ~ '^resource_views_[0-9]+_(metadata|words)$' order by 1
    loop
        execute format('alter index %I set (gin_pending_list_limit = 128)', name);
    end loop;
end $$;

create or replace function index_resource_views(generation int) returns void language plpgsql as $$
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
        create index if not exists resource_views_%1$s_metadata on resource_views_%1$s using gin (metadata jsonb_path_ops) with (gin_pending_list_limit = 128);
        create index if not exists resource_views_%1$s_words on resource_views_%1$s using gin (words) with (gin_pending_list_limit = 128);
        analyze resource_views_%1$s', generation);
end $$;

select secure_read_model('resource_views');
