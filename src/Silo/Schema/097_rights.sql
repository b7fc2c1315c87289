-- Generations of the read model are made, published and dropped with the rights of who owns the tables, so that nodes need not own them. Who may do
-- that is granted; see docs/OPERATIONS.md.
do $$
declare
    name text;
begin
    foreach name in array array['create_resource_views(int)', 'index_resource_views(int)', 'publish_resource_views(int)', 'drop_other_resource_views(int, int)'] loop
        execute format('alter function %s security definer', name);
        execute format('alter function %s set search_path = %I, pg_temp', name, current_schema());
        execute format('revoke all on function %s from public', name);
    end loop;
end $$;
