-- Read model of lists: one row a resource, kept by the projection of the same name. May be emptied and built again from the log.
create table resource_views (
    id uuid primary key,
    type text not null,
    name text not null,
    status text not null,
    metadata jsonb not null,
    owner text not null,
    version bigint not null,
    created_at timestamptz not null,
    created_by text not null,
    updated_at timestamptz not null,
    updated_by text not null,
    deleted_at timestamptz
);

create index resource_views_newest on resource_views (created_at desc, id desc) where deleted_at is null;
create index resource_views_by_status on resource_views (status, created_at desc, id desc) where deleted_at is null;
create index resource_views_by_owner on resource_views (owner, created_at desc, id desc) where deleted_at is null;
create index resource_views_by_type on resource_views (type, created_at desc, id desc) where deleted_at is null;
